"""A run that is killed over and over: python killing.py FOLDER SEED OVERRIDE...

This process imports torch once and forks a child that trains; it kills the child (SIGKILL) at a random moment after a
checkpoint appeared, forks one that resumes, and so on; after enough kills it lets the child finish.
"""

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

import helpers
from sdrun import run

KILLS = 5


def fork(path: Path, overrides: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        torch.set_num_threads(1)
        if (path / "manifest.json").exists():
            run.resume(path)
        else:
            helpers.start(path, *overrides)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def marks(path: Path) -> set[str]:
    return {str(file) for file in path.glob("stages/*/*.sha256")} | {str(file) for file in path.glob("manifest.json")}


def main() -> None:
    path, chance, overrides = Path(sys.argv[1]), random.Random(int(sys.argv[2])), sys.argv[3:]
    for kill in range(KILLS):
        before = marks(path)
        child = fork(path, overrides)
        ended, status = 0, 0
        while marks(path) == before and not ended:
            ended, status = os.waitpid(child, os.WNOHANG)
            time.sleep(0.001)
        if not ended:
            time.sleep(chance.uniform(0, 0.12))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        stages = sorted(str(file.relative_to(path)) for file in path.glob("stages/*/*.pt"))
        print(f"kill {kill}: {'killed' if os.WIFSIGNALED(status) else 'had ended'}, {stages}", flush=True)
    child = fork(path, overrides)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


main()
