"""What all stages of a run share."""

from dataclasses import dataclass

from sdrun.display import Display
from sdrun.evaluation.evaluator import Data
from sdrun.hardware import Hardware
from sdrun.interrupt import Interrupt
from sdrun.settings import Settings
from sdrun.storage.folder import RunFolder
from sdrun.storage.record import Record


@dataclass(frozen=True, kw_only=True)
class Context:
    """Settings, data and hardware of a run, and where its numbers go. Only the first rank has a ``record``; it alone
    evaluates and writes.
    """

    settings: Settings
    data: Data
    hardware: Hardware
    folder: RunFolder
    record: Record | None
    display: Display
    interrupt: Interrupt
