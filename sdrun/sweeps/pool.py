"""Jobs in processes of their own, as many at once as there is room for. Imports no torch: the server of them does.

Each process is forked from a server that has imported what a run needs, so that this is paid once. A process that ends,
is killed or runs out of memory takes no other with it.
"""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from typing import Any

from sdrun.interrupt import Interrupt
from sdrun.job import BUSY
from sdrun.sweeps.process import CORES, Aside, Back, Work, begin

WARM = ["sdrun.sweeps.warm"]

PAUSE = 0.5
"""Seconds after which signals are looked at, where nothing happens."""

WAIT = 2.0
"""Seconds after which it is looked again at jobs that others are at."""

MOST_ASIDE = 4
"""Processes that wait for others, for each one that computes."""


def warm_up() -> None:
    """Let the server of processes begin its imports, so that it has them when it is needed."""
    forkserver.set_forkserver_preload(WARM)
    forkserver.ensure_running()


class State(Enum):
    """Of a job: ``busy`` is one that another sweep's process is at."""

    free = "free"
    busy = "busy"
    done = "done"


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


@dataclass(frozen=True)
class Left:
    """A job that was started found another process at it, and is looked at again later."""

    name: str


Event = Started | Told | Ended | Left


class Pool:
    """Runs work in ``num`` processes at once, each with its share of the cores. ``state``: of a job, by its name."""

    def __init__(self, works: Sequence[Work], num: int, cores: int, state: Callable[[str], State]) -> None:
        self.num, self.share, self.state = num, max(1, cores // num), state
        self.context = get_context("forkserver")
        self.ahead, self.elsewhere = deque(works), deque[Work]()
        self.running = dict[Connection, tuple[Work, ForkServerProcess]]()
        self.aside, self.back = set[Connection](), deque[Connection]()

    def run(self, interrupt: Interrupt) -> Iterator[Event]:
        """What happens, as it happens. Once it is asked to stop nothing is started, and what runs is asked as well."""
        warm_up()
        looked, was_told = time.monotonic(), False
        while self.running or (not interrupt.is_asked and (self.ahead or self.elsewhere)):
            if not interrupt.is_asked:
                yield from self._fill()
            else:
                if not was_told:
                    was_told = True
                    for _, process in self.running.values():
                        process.terminate()
                while self.back:  # one that comes later has to end, too
                    self._let_back()
            if time.monotonic() - looked > WAIT:
                looked = time.monotonic()
                self.ahead.extend(self.elsewhere)
                self.elsewhere.clear()
            yield from self._heard()

    def _fill(self) -> Iterator[Event]:
        """Let processes back that waited, and start others, while there is a place."""
        while len(self.running) - len(self.aside) < self.num:
            if self.back:
                self._let_back()
                continue
            if not self.ahead or len(self.aside) >= MOST_ASIDE * self.num:
                break
            work = self.ahead.popleft()
            match self.state(work.name):
                case State.done:
                    yield Ended(work.name, 0)
                case State.busy:
                    self.elsewhere.append(work)
                case State.free:
                    self._start(work)
                    yield Started(work.name)

    def _heard(self) -> Iterator[Event]:
        if not self.running:
            time.sleep(PAUSE)
        for connection in wait(list(self.running), timeout=PAUSE) if self.running else []:
            assert isinstance(connection, Connection)
            work, _ = self.running[connection]
            try:
                words = connection.recv()
            except (EOFError, OSError):  # the process is gone, or about to be
                yield from self._ended(connection)
                continue
            match words:
                case Aside():
                    self.aside.add(connection)
                case Back():
                    self.back.append(connection)
                case _:
                    yield Told(work.name, words)

    def _ended(self, connection: Connection) -> Iterator[Event]:
        work, process = self.running.pop(connection)
        self.aside.discard(connection)
        if connection in self.back:
            self.back.remove(connection)
        connection.close()
        process.join()
        code = process.exitcode
        process.close()
        if code == BUSY:
            self.elsewhere.append(work)
            yield Left(work.name)
        else:
            yield Ended(work.name, -signal.SIGKILL if code is None else code)

    def _let_back(self) -> None:
        connection = self.back.popleft()
        self.aside.discard(connection)
        connection.send(None)

    def _start(self, work: Work) -> None:
        here, there = self.context.Pipe()
        environment = {**os.environ, CORES: str(self.share)}
        process = self.context.Process(target=begin, args=(work, there, environment), name=work.name)
        process.start()
        there.close()
        self.running[here] = (work, process)
