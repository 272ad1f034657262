"""A job's process: forked from a server, in a group of its own, heard by its sweep, and stopped when that is gone."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

CORES = "LOKY_MAX_CPU_COUNT"
"""Variable of joblib's, by which a process counts the cores that it may use."""


@dataclass(frozen=True)
class Work:
    """``call()`` gives the exit code of a process; what it prints goes to ``log``."""

    name: str
    call: Callable[[], int]
    log: Path


@dataclass(frozen=True)
class Aside:
    """A process waits for another, so that a third may have its place."""


@dataclass(frozen=True)
class Back:
    """It would go on, and waits until there is a place."""


_sweep: Connection | None = None


def begin(work: Work, sweep: Connection, environment: dict[str, str]) -> None:
    """What the process does. ``environment``: that of the sweep, for the server may have begun with another."""
    global _sweep
    _sweep = sweep
    os.setpgid(0, 0)  # the sweep hears a terminal's signals, and tells its jobs once
    os.environ.clear()
    os.environ.update(environment)
    log = os.open(work.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
    for stream in (1, 2):
        os.dup2(log, stream)
    Thread(target=_stop_with_sweep, daemon=True).start()
    sys.exit(work.call())


def tell(words: Any) -> None:
    """Let the sweep hear something."""
    assert _sweep
    with suppress(OSError):  # it is gone
        _sweep.send(words)


@contextmanager
def aside() -> Iterator[None]:
    """Compute nothing while the context is open, so that another process may."""
    assert _sweep
    tell(Aside())
    yield
    tell(Back())
    with suppress(EOFError, OSError):  # the sweep is gone, and has said stop
        _sweep.recv()


def _stop_with_sweep() -> None:
    sweep = parent_process()
    assert sweep
    sweep.join()
    os.kill(os.getpid(), signal.SIGTERM)
