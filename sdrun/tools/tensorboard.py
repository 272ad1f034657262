"""``sdrun tensorboard [FOLDER]``: TensorBoard on all runs below a folder, by names that say what they are."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

REFRESH = 20.0
"""Seconds between two looks for new runs."""


def main(arguments: list[str]) -> None:
    """Stays until it is interrupted; further options are TensorBoard's. Raises InputError where there is no run."""
    parser = argparse.ArgumentParser(prog="sdrun tensorboard", description=__doc__)
    parser.add_argument("folder", nargs="?", default="outputs", metavar="FOLDER", help="outputs")
    parser.add_argument("--where", nargs="+", default=[], metavar="KEY=VALUE", help="only runs with these settings")
    given, more = parser.parse_known_args(arguments)
    from sdrun.comparison.runs import filters
    from sdrun.errors import InputError

    wanted = filters(given.where, "--where")
    with tempfile.TemporaryDirectory(prefix="sdrun-tensorboard-") as place:
        num = link(given.folder, Path(place), wanted)
        if not num:
            raise InputError(
                f"{given.folder} holds no run with a view for TensorBoard" + (" and these settings" * bool(wanted))
            )
        print(f"{num:,} runs; Ctrl-C ends it", flush=True)
        board = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", place, *more])
        try:
            while board.poll() is None:
                try:
                    board.wait(REFRESH)
                except subprocess.TimeoutExpired:
                    link(given.folder, Path(place), wanted)
        finally:
            board.terminate()
            board.wait()


def link(folder: str, place: Path, wanted: dict[str, str]) -> int:
    """Link each run's view into ``place`` by its name, such as ``born_again alpha=0.9 seed=0``; returns how many."""
    from sdrun.comparison.groups import grouped
    from sdrun.comparison.runs import find

    found = find([folder])
    runs = [run for run in [*found.finished, *found.unfinished] if run.matches(wanted)]
    groups, replaced = grouped(runs)
    older = {path for path, _ in replaced}
    names = {run.path: f"{group.label} seed={seed}" for group in groups for seed, run in group.runs.items()}
    names |= {
        run.path: f"{run.manifest['method']} seed={run.seed} {run.path.name}" for run in runs if run.path in older
    }
    linked = {path: name.replace("/", "_") for path, name in names.items() if (path / "tensorboard").is_dir()}
    targets = {(path / "tensorboard").resolve(): name for path, name in linked.items()}
    for old in place.iterdir():
        if targets.get(old.resolve()) != old.name:
            old.unlink()
    for target, name in targets.items():
        if not (place / name).exists():
            (place / name).symlink_to(target, target_is_directory=True)
    return len(targets)
