"""How far a run is, told to who waits for it elsewhere, such as a sweep in another process. Imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """``seconds``: what is left of the stage, at its pace so far; ``text``: its latest numbers."""

    stage: str
    step: int
    num_steps: int
    seconds: float
    text: str


_listeners: list[Callable[[Progress], None]] = []


def listen(callback: Callable[[Progress], None]) -> None:
    """Have what runs of this process tell go to ``callback`` too."""
    _listeners.append(callback)


def tell(progress: Progress) -> None:
    for callback in _listeners:
        callback(progress)
