"""Jobs in processes of their own, as many at once as there is room for. Imports no torch: the server of them does.

Each process is forked from a server that has imported what a run needs, so that this is paid once. A process that ends,
is killed or runs out of memory takes no other with it. One whose sweep is gone stops as at a signal: its run is saved.
"""

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Thread
from typing import Any

from sdrun.interrupt import Interrupt
from sdrun.job import BUSY

WARM = ["sdrun.sweeps.warm"]
CORES = "LOKY_MAX_CPU_COUNT"
"""Variable of joblib's, by which a process counts the cores that it may use."""

PAUSE = 0.5
"""Seconds after which signals are looked at, where nothing happens."""

WAIT = 2.0
"""Seconds after which it is looked again at jobs that others are at."""


class State(Enum):
    """Of a job: ``busy`` is one that another sweep's process is at."""

    free = "free"
    busy = "busy"
    done = "done"


@dataclass(frozen=True)
class Work:
    """``call()`` gives the exit code of a process; what it prints goes to ``log``."""

    name: str
    call: Callable[[], int]
    log: Path


@dataclass(frozen=True)
class Started:
    name: str


@dataclass(frozen=True)
class Told:
    """What a job says of itself while it runs."""

    name: str
    words: Any


@dataclass(frozen=True)
class Ended:
    """``code``: its exit code, or the negative number of the signal that killed it."""

    name: str
    code: int


Event = Started | Told | Ended


class Pool:
    """Runs work in ``num`` processes at once, each with its share of the cores."""

    def __init__(self, num: int, cores: int, state: Callable[[str], State]) -> None:
        """``state``: of a job, by its name."""
        self.num, self.share, self.state = num, max(1, cores // num), state
        self.context = get_context("forkserver")
        self.context.set_forkserver_preload(WARM)

    def run(self, works: Sequence[Work], interrupt: Interrupt) -> Iterator[Event]:
        """What happens, as it happens. After a signal nothing is started, and what runs is asked to stop."""
        ahead, running = deque(works), dict[Connection, tuple[Work, ForkServerProcess]]()
        others = list[Work]()  # which processes of another sweep are at
        looked, was_told = time.monotonic(), False
        while running or ((ahead or others) and interrupt.signum is None):
            while ahead and len(running) < self.num and interrupt.signum is None:
                work = ahead.popleft()
                match self.state(work.name):
                    case State.done:
                        yield Ended(work.name, 0)
                    case State.busy:
                        others.append(work)
                    case State.free:
                        connection, process = self._start(work)
                        running[connection] = (work, process)
                        yield Started(work.name)
            if interrupt.signum is not None and not was_told:
                was_told = True
                for _, process in running.values():
                    process.terminate()
            if others and time.monotonic() - looked > WAIT:
                ahead.extend(others)
                others.clear()
                looked = time.monotonic()
            for connection in self._ready(list(running)):
                work, process = running[connection]
                try:
                    yield Told(work.name, connection.recv())
                except (EOFError, OSError):  # the process is gone, or about to be
                    del running[connection]
                    connection.close()
                    code = self._code(process)
                    if code == BUSY:
                        others.append(work)
                    else:
                        yield Ended(work.name, code)

    @staticmethod
    def _ready(connections: list[Connection]) -> list[Connection]:
        if not connections:
            time.sleep(PAUSE)
        return [one for one in wait(connections, timeout=PAUSE) if isinstance(one, Connection)] if connections else []

    @staticmethod
    def _code(process: ForkServerProcess) -> int:
        process.join()
        code = process.exitcode
        process.close()
        return -signal.SIGKILL if code is None else code

    def _start(self, work: Work) -> tuple[Connection, ForkServerProcess]:
        here, there = self.context.Pipe(duplex=False)
        process = self.context.Process(target=_begin, args=(work, there, self.share), name=work.name)
        process.start()
        there.close()
        return here, process


_told: Connection | None = None


def tell(words: Any) -> None:
    """From a job's process, to those who see its sweep; nothing where there are none."""
    if _told is not None:
        with suppress(OSError):  # the sweep is gone
            _told.send(words)


def _begin(work: Work, there: Connection, share: int) -> None:
    """What a job's process does."""
    global _told
    _told = there
    os.setpgid(0, 0)  # the sweep hears a terminal's signals, and tells its jobs once
    os.environ[CORES] = str(share)
    log = os.open(work.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW)
    for stream in (1, 2):
        os.dup2(log, stream)
    Thread(target=_stop_with_sweep, daemon=True).start()
    sys.exit(work.call())


def _stop_with_sweep() -> None:
    sweep = parent_process()
    assert sweep
    sweep.join()
    os.kill(os.getpid(), signal.SIGTERM)
