"""Sweeps of which processes are killed, and that go on; at the end each run must be as one that was made alone.

What is killed at a random moment is the sweep's own process, the server that forks its jobs, or one of the jobs; what
is left of it meanwhile goes on, and may meet the process that takes its place.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout, suppress
from pathlib import Path

import helpers
from faults.child import hygiene
from faults.figures import FAILED, Figures
from sdrun.storage.sweeps import SweepFolder

LINES = (
    "method=supervised,born_again,mean_teacher,layerwise,fixmatch",
    "seed=0,1,2,3,4,5,6,7",
    "checkpoint_seconds=0",
)
"""Forty jobs."""

LIMIT = 1200
"""Seconds that a sweep may take."""


class Sweep:
    """A sweep in ``path``, and the process that is at it."""

    def __init__(self, path: Path, words: list[str]) -> None:
        self.path, self.words = path, words
        self.output = path.with_suffix(".output").open("ab")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        is_there = (self.path / "sweep.json").exists()
        words = ["resume", str(self.path)] if is_there else ["-m", *self.words, f"hydra.sweep.dir={self.path}"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "sdrun", *words]
        return subprocess.Popen(command, stdout=self.output, stderr=self.output, env=environment)

    def go_on(self) -> None:
        """Where its process is gone, start the next."""
        if self.process.poll() is not None:
            self.process = self._start()

    def end(self) -> int:
        """Go on until nothing is left to do; how many processes that took."""
        deadline = time.monotonic() + LIMIT
        num = 1
        while self.process.wait(max(deadline - time.monotonic(), 1)) != 0:
            num += 1
            assert num < 5, self.said()
            self.process = self._start()
        self.output.close()
        return num

    def said(self) -> str:
        return self.path.with_suffix(".output").read_text()[-2000:]

    def wait_for_a_job(self) -> None:
        """Until one runs, or all have."""
        while self.process.poll() is None and "job" not in dict(self.processes()):
            time.sleep(0.1)

    def processes(self) -> list[tuple[str, int]]:
        """Those that live, each by what it is."""
        children = _children(self.process.pid)
        servers = [pid for pid in children if "forkserver" in _of_process(pid, "cmdline")]
        jobs = [("job", job) for pid in servers for job in _children(pid)]
        return [("sweep", self.process.pid), *(("server", pid) for pid in servers), *jobs]


def _children(pid: int) -> list[int]:
    return [int(word) for word in _of_process(pid, f"task/{pid}/children").split()]


def _of_process(pid: int, name: str) -> str:
    """What the system says of a process; nothing of one that has just ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def campaign(folder: Path, chance: random.Random, num_kills: int, pause: float, *words: str) -> Figures:
    """A sweep of which ``num_kills`` processes are killed, up to ``pause`` seconds after a job began.

    Each of its runs is held against one that was made alone, in this process.
    """
    figures = Figures("Runs of a killed sweep")
    killed = Sweep(folder / "killed", [*helpers.SMALL, *(words or LINES)])
    for _ in range(num_kills):
        killed.wait_for_a_job()
        time.sleep(chance.uniform(0, pause))
        kind, pid = chance.choice(killed.processes())
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGKILL)
            figures.count("killed", kind, 1)
        time.sleep(chance.choice([0, 0, 3]))
        killed.go_on()
    killed.end()
    for name, job in SweepFolder.open(killed.path).jobs.items():
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            alone = helpers.start(folder / "alone" / name, *job.overrides, base=())
        run = killed.path / name
        wrong = [*helpers.differences(alone, run), *hygiene(run)]
        figures.add("runs", FAILED if wrong else "equal", f"{run}: {wrong}")
    return figures
