"""Whether two commits give the same numbers: small runs of every method at both, compared bit for bit.

    python scripts/same.py OLD [NEW] [--lines 'method=born_again method.objective=cwtm,dkpp' ...]

NEW is the working tree unless it is named. A line is what follows ``sdrun -m``, and is run in fp32 and in bf16; where
the two commits spell it differently, it is ``OLD SPELLING => NEW SPELLING``. Weights, predictions and metrics
are compared, measured times apart. Prints a line a run; the exit code is 1 where anything differs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).resolve().parent.parent
SMALL = (
    "dataset.train_size=120",
    "dataset.val_size=60",
    "optim.batch_size=40",
    "optim.epochs=3",
    "log_every=2",
    "hardware.device=cpu",
    "hardware.threads=1",
    "hardware.precision=fp32,bf16",
    "hardware.compile=false",
)
LINES = (
    "method={methods} model.widths=[8,8] dataset.num_labels=null,60",
    "method=born_again model.widths=[8,8] method.objective=cwtm,dkpp method.teacher=last,ensemble",
    "method=dino model.widths=[8,8] method.centring=sinkhorn method.koleo=0.1 method.local_crops=0,2",
    "method=supervised model.widths=[8,8] method.label_smoothing=0.1 dataset.label_noise=0.2 dataset.test_view=strong",
    "method=supervised,mean_teacher,layerwise model=resnet8 optim=adamw optim.accumulate=2 optim.select=best",
    "method=born_again,fixmatch,layerwise,dino model=vit_tiny model.width=24 model.depth=2",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new", nargs="?")
    parser.add_argument("--lines", nargs="+", default=LINES)
    parser.add_argument("--adds", nargs="+", default=[], metavar="METRIC", help="what NEW alone measures")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trees = [
            _tree(commit, folder / side, stack) for commit, side in ((arguments.old, "old"), (arguments.new, "new"))
        ]
        every = [{file.stem for file in (tree / "conf/method").glob("*.yaml")} for tree in trees]
        methods = ",".join(sorted(set.intersection(*every)))
        differs = False
        for number, line in enumerate(arguments.lines):
            spellings = [part.strip().format(methods=methods) for part in line.split("=>")]
            places = [folder / f"runs/{number}/{side}" for side in ("old", "new")]
            sweeps = [
                _sweep(tree, place, spelling)
                for tree, place, spelling in zip(trees, places, (spellings[0], spellings[-1]), strict=True)
            ]
            failed = [sweep.wait() for sweep in sweeps]
            for side, place, code in zip(("old", "new"), places, failed, strict=True):
                if code:
                    print(f"{side}: {line}\n{(place / 'log').read_text()[-2000:]}")
            differs |= any(failed) or _compare(*places, arguments.adds)
    return int(differs)


ALONE = f"""
import runpy, sys
tree = sys.argv.pop(1)
sys.path[:] = [tree, *(place for place in sys.path if place not in (tree, {str(HERE)!r}))]
runpy.run_module("sdrun", run_name="__main__")
"""
"""Runs sdrun from one tree; beside a tree of another commit, an installed one would give Hydra plugins of its own."""


def _tree(commit: str | None, place: Path, stack: ExitStack) -> Path:
    """The files of a commit; those of the working tree, where none is named."""
    if commit is None:
        return HERE
    git = ["git", "-C", str(HERE), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(place), commit], check=True)
    stack.callback(subprocess.run, [*git, "remove", "--force", str(place)], check=True)
    return place


def _sweep(tree: Path, place: Path, line: str) -> subprocess.Popen:
    place.mkdir(parents=True)
    command = [sys.executable, "-c", ALONE, str(tree), "-m", *SMALL, *line.split(), f"hydra.sweep.dir={place}"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    with (place / "log").open("w") as log:
        return subprocess.Popen(command, cwd=place, env=environment, stdout=log, stderr=subprocess.STDOUT)


def _compare(old: Path, new: Path, adds: list[str]) -> bool:
    """Print what differs, run by run, but for the metrics that the new side ``adds``. Whether anything does."""
    differs = False
    for run, other in zip(_runs(old), _runs(new), strict=True):
        both = {name: (read(run), read(other)) for name, read in READ.items()}
        shared = [row for row in both["metrics"][1] if row[3].rpartition("/")[2] not in adds]
        both["metrics"] = both["metrics"][0], shared
        parts = [name for name, (before, after) in both.items() if before != after]
        differs |= bool(parts)
        overrides = json.loads((run / "manifest.json").read_text())["overrides"]
        shown = " ".join(word for word in overrides if word not in SMALL)
        print(f"{'differs in ' + ', '.join(parts) if parts else 'the same':<40} {shown}", flush=True)
    return differs


def _runs(sweep: Path) -> list[Path]:
    """By their numbers, with which the names of a sweep's folders begin, whatever else is in them."""
    folders = [path.parent for path in sweep.glob("*/manifest.json")]
    return sorted(folders, key=lambda path: int(path.name.partition("-")[0]))


def _weights(run: Path) -> dict[str, bytes]:
    return {
        f"{file.relative_to(run)} {name}": tensor.numpy().tobytes()
        for file in sorted(run.glob("stages/*/*.pt"))
        for name, tensor in torch.load(file, weights_only=True).items()
    }


def _predictions(run: Path) -> dict[str, bytes]:
    arrays = {}
    for file in sorted(run.glob("predictions/*.npz")):
        with np.load(file) as opened:
            arrays |= {f"{file.stem} {name}": opened[name].tobytes() for name in opened}
    return arrays


def _metrics(run: Path) -> list[tuple]:
    """Every logged point and every metric of every stage."""
    points = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    stages = json.loads((run / "summary.json").read_text())["stages"]
    logged = [(p["stage"], p["step"], p["epoch"], p["name"], p["value"]) for p in points]
    judged = [(s["name"], s["steps"], s.get("multiply_adds"), *item) for s in stages for item in s["metrics"].items()]
    return [row for row in [*logged, *judged] if not _is_time(row[3])]


def _is_time(name: str) -> bool:
    return name == "train/samples_per_second" or "milliseconds" in name


READ: dict[str, Callable[[Path], Any]] = {"weights": _weights, "predictions": _predictions, "metrics": _metrics}


if __name__ == "__main__":
    sys.exit(main())
