"""Work on many files, by several processes where they are worth it."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from sdrun.errors import RunError
from sdrun.ranks import rank

Result = TypeVar("Result")

FEW = 500
"""Files for which starting a process takes longer than they do."""
CHUNK = 64
"""Files that a process is handed at once."""


def each(
    work: Callable[..., Result], arguments: Sequence[tuple[Any, ...]], num_workers: int, title: str
) -> Iterator[Result]:
    """What ``work`` gives for each of the ``arguments``, in their order, while a bar shows how far it is.

    Raises RunError where a process is killed.
    """
    if len(arguments) <= FEW:
        yield from (work(*one) for one in arguments)
        return
    chunks = [(work, arguments[start : start + CHUNK]) for start in range(0, len(arguments), CHUNK)]
    with _bar(title, len(arguments)) as advance, _pool(num_workers) as pool:
        try:
            for results in pool.map(_all_of, chunks):
                advance(len(results))
                yield from results
        except BrokenProcessPool as error:
            raise RunError(f"{title}: a process was killed, perhaps for memory; try dataset.workers=1") from error


def _all_of(chunk: tuple[Callable[..., Result], Sequence[tuple[Any, ...]]]) -> list[Result]:
    work, arguments = chunk
    return [work(*one) for one in arguments]


@contextmanager
def _pool(num_workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that start afresh, for a copy of this one would have torch's threads in any state."""
    pool = ProcessPoolExecutor(num_workers, get_context("spawn"), _begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends by the process that started it


@contextmanager
def _bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar in a terminal, and a line elsewhere; of several ranks, the first one's."""
    if rank() > 0:
        yield lambda num: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        console.print(f"{title}: {total:,}")
        yield lambda num: None
        return
    columns = TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn(compact=True)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=total)
        yield lambda num: progress.advance(task, num)
