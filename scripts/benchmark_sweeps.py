"""Sweeps: jobs in processes against jobs one after the other, stages shared against each trained, and a job's overhead.

Each pair takes turns; medians, with the range of the ratio. ``--many N`` looks instead at how a sweep of N tiny jobs
grows, where there is a /proc.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BASE = ["hardware.threads=1", "hardware.device=cpu", "dataset=digits"]
MANY = ["method=supervised", "optim.epochs=1000"]
LINE = ["method=born_again", "generations=2", "optim.epochs=1000", "seed=0"]
TINY = ["method=supervised", "dataset.train_size=120", "model.widths=[8,8]", "optim.max_steps=1"]


def swept(*words: str) -> tuple[float, float]:
    """Seconds of a sweep, and of all training in it."""
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        command = [sys.executable, "-m", "sdrun", "-m", *BASE, *words, f"hydra.sweep.dir={place}/s"]
        subprocess.run(command, check=True, capture_output=True)
        seconds = time.monotonic() - began
        summaries = [json.loads(file.read_text()) for file in Path(place).glob("s/*/summary.json")]
    return seconds, sum(summary["compute"]["seconds"] for summary in summaries)


def alternating(title: str, rounds: int, one: Callable[[], float], other: Callable[[], float]) -> None:
    pairs = [(one(), other()) for _ in range(rounds)]
    ratios = [first / second for first, second in pairs]
    medians = [statistics.median(side) for side in zip(*pairs, strict=True)]
    told = f"{medians[0]:.1f} s against {medians[1]:.1f} s"
    print(
        f"{title}: {told}, ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True
    )


def overhead(num: int, *words: str) -> float:
    """Seconds of a job beyond its training, where it runs alone."""
    few, of_few = swept("jobs=1", "seed=0", *words)
    many, of_many = swept("jobs=1", f"seed={','.join(map(str, range(1 + num)))}", *words)
    return (many - of_many - few + of_few) / num


def held(pid: int) -> str:
    """Memory and handles of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return f"{pages * os.sysconf('SC_PAGE_SIZE') / 1e6:.0f} MB and {len(os.listdir(f'/proc/{pid}/fd'))} handles"


def growth(num: int) -> None:
    """Tell every tenth of a sweep of ``num`` jobs what its process and the server of its jobs hold."""
    with tempfile.TemporaryDirectory() as place:
        began, told = time.monotonic(), 0
        words = [*BASE, *TINY, f"seed=range({num})", f"hydra.sweep.dir={place}/s"]
        command = [sys.executable, "-m", "sdrun", "-m", *words]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                while process.poll() is None:
                    time.sleep(1)
                    done = len(list(Path(place).glob("s/*/summary.json")))
                    if done >= told + num / 10:
                        told = done
                        seconds = time.monotonic() - began
                        holders = ", ".join(held(pid) for pid in (process.pid, *_servers(process.pid)))
                        print(f"{done:,} jobs, {seconds:.0f} s: {holders}", flush=True)
            finally:
                process.terminate()
        print(f"exit code {process.returncode}")


def _servers(pid: int) -> list[int]:
    """Of its jobs, among a sweep's children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"forkserver" in Path(f"/proc/{child}/cmdline").read_bytes()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1000, help="of each stage")
    parser.add_argument("--many", type=int, metavar="N", help="tell how a sweep of N tiny jobs grows, and nothing else")
    options = parser.parse_args()
    if options.many:
        growth(options.many)
        return
    steps = f"optim.max_steps={options.steps}"
    eight = [*MANY, steps, "seed=0,1,2,3,4,5,6,7"]
    alternating(
        "8 jobs, in processes against one after the other",
        options.rounds,
        lambda: swept(*eight)[0],
        lambda: swept(*eight, "hydra/launcher=serial", "reuse=off")[0],
    )
    twenty = [*LINE, steps, f"method.alpha={','.join(f'{number / 20:g}' for number in range(1, 21))}"]
    alternating(
        "20 born-again jobs, generation 0 shared against each trained",
        options.rounds,
        lambda: swept(*twenty)[0],
        lambda: swept(*twenty, "reuse=off")[0],
    )
    seconds = [overhead(6, *MANY, "optim.max_steps=20") for _ in range(options.rounds)]
    print(f"a job beyond its training: {statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f})")


if __name__ == "__main__":
    main()
