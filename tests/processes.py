"""Runs on several ranks, against those on one."""

import os
import subprocess
import sys
from pathlib import Path

from helpers import SMALL, points, settings
from sdrun import run


def on_ranks(num: int, *arguments: str, program: tuple[str, ...] = ("-m", "sdrun")) -> None:
    """``sdrun ARGUMENTS`` by so many processes of torchrun."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={num}"]
    done = subprocess.run(
        [*command, *program, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


SMALL_VIT = (*(o for o in SMALL if not o.startswith("model")), "model=vit_tiny", "model.width=24", "model.depth=2")


def one_and_two_ranks(
    folder: Path, *overrides: str, program: tuple[str, ...] = ("-m", "sdrun"), base: tuple[str, ...] = SMALL_VIT
) -> tuple[list[float], list[float]]:
    """The logged losses of one rank and of two, on a network without BatchNorm; what they log is the same."""
    asked = [*base, *overrides]
    run.start(settings(*asked), folder / "one", asked)
    on_ranks(2, *asked, f"hydra.run.dir={folder / 'two'}", program=program)
    one, two = points(folder / "one"), points(folder / "two")
    assert [point[:4] for point in one] == [point[:4] for point in two]
    return tuple([point[4] for point in found if point[3] == "train/loss"] for found in (one, two))
