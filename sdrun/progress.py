"""How far a run is, told to who waits for it elsewhere, such as a sweep in another process. Imports no torch."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run is. ``number``: of its stage among ``num_stages`` trainings, from 1 on; 0 before the first.

    ``seconds``: what is left of the run, None while nothing tells; ``doing``: what it does, where it does not train.
    """

    stage: str
    number: int
    num_stages: int
    step: int
    num_steps: int
    seconds: float | None
    doing: str = ""

    @property
    def share(self) -> float:
        """Of the steps of all trainings, those that are done."""
        done = self.step / max(self.num_steps, 1)
        return max(0.0, self.number - 1 + done) / max(self.num_stages, 1)


@dataclass(frozen=True)
class Saved:
    """A stage that another run had trained, and how many seconds that took."""

    stage: str
    seconds: float


@dataclass
class Listener:
    """``told`` hears; ``aside`` is a context in which the run computes nothing, so that others may."""

    told: Callable[[Progress | Saved], None]
    aside: Callable[[], AbstractContextManager[None]]


_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have runs of this process heard."""
    _listeners[:] = [listener]


def tell(words: Progress | Saved) -> None:
    for listener in _listeners:
        listener.told(words)


def aside() -> AbstractContextManager[None]:
    """A context in which a run waits for another."""
    return _listeners[0].aside() if _listeners else nullcontext()
