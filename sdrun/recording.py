"""Where the loop's numbers and its state go."""

from typing import Any

from sdrun.display import Display
from sdrun.storage.checkpoints import Checkpoints
from sdrun.storage.record import Record


class Recording:
    """Numbers to the record and the display; state to a checkpoint that knows how much was recorded before it."""

    def __init__(self, record: Record, display: Display, checkpoints: Checkpoints) -> None:
        self.record, self.display, self.checkpoints = record, display, checkpoints

    def log(self, step: int, values: dict[str, float]) -> None:
        self.record.log(step, values)
        self.display.update(step, values)

    def save(self, step: int, state: dict[str, Any]) -> None:
        self.checkpoints.save(step, {**state, "points": self.record.sync()})
        self.display.saved(step)


class Silent:
    """The recorder of every rank but the first."""

    def log(self, step: int, values: dict[str, float]) -> None: ...

    def save(self, step: int, state: dict[str, Any]) -> None: ...
