"""The long part: ``make faults``, or ``python -m faults`` in tests/. Prints tables of what became of each fault."""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import torch

import helpers
from faults import damage, disk, hostile, kills, knobs, sweeps
from faults.child import Case, really
from faults.figures import Figures
from sdrun.choices import conf_folder

PARTS = ("kills", "damage", "disk", "hostile", "sweeps", "knobs")
PAUSE = 12.0
"""Seconds, the most between the start of a job and the kill of a process of its sweep."""

CLAIM = Path(__file__).parents[2] / "docs/earlier/mean_teacher"


def everything() -> list[str]:
    """All choices of ``method``."""
    return sorted(file.stem for file in (conf_folder() / "method").glob("*.yaml"))


def case(method: str) -> Case:
    """A checkpoint a step, and two generations where there is a line of them."""
    more = ("generations=2",) if method == "born_again" else ()
    return Case.of(f"method={method}", *more, "checkpoint_seconds=0", "optim.select=best", "optim.epochs=2")


def tables(part: str, options: argparse.Namespace, folder: Path) -> Iterator[Figures]:
    chance = random.Random(options.seed)
    if part == "kills":
        by_way, by_case = Figures("Kills, by the way to die"), Figures("Kills, by method")
        for method in options.methods:
            kills.campaign(case(method), folder, chance, options.count, by_way, by_case)
        yield from (by_way, by_case)
    elif part == "damage":
        damaged = damage.Damage(folder)
        for command in damage.COMMANDS:
            yield damage.campaign(damaged, command, chance, options.damages)
    elif part == "disk":
        disks = disk.Disks(folder)
        yield from disk.campaign(disks, chance, options.count)
        yield from disk.campaign(disks, chance, 1, really)
    elif part == "sweeps":
        yield sweeps.campaign(folder, chance, options.count, PAUSE)
    elif part == "knobs":
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            table = knobs.campaign(folder, options.methods)
        yield table
    else:
        sources = hostile.Hostile(folder, CLAIM)
        for kind in options.folders:
            yield hostile.campaign(sources, kind, range(options.seed, options.seed + options.count))


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if not said")
    parser.add_argument("--count", type=int, default=10, help="trials of each way to die, sizes, seeds of folders")
    parser.add_argument("--damages", type=int, help="damages of each command; all if not said")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", nargs="+", default=everything())
    parser.add_argument("--folders", nargs="+", choices=hostile.VERBS, default=list(hostile.VERBS))
    parser.add_argument("--pictures", action="store_true", help="draw what a run draws, at several times the cost")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.pictures:
        helpers.SMALL = (*helpers.SMALL, "pictures=true")
    num_failures = 0
    memory = Path("/dev/shm")
    for part in options.parts or PARTS:
        began = time.monotonic()
        place = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        with place as folder:
            for table in tables(part, options, Path(folder)):
                print(table, end="\n\n", flush=True)
                num_failures += len(table.failures)
        print(f"{part}: {time.monotonic() - began:.0f} seconds\n", flush=True)
    return int(num_failures > 0)


if __name__ == "__main__":
    sys.exit(main())
