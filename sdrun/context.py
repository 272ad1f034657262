"""What all stages of a run share."""

from dataclasses import dataclass
from functools import cached_property

from sdrun.display import Display
from sdrun.hardware import Hardware
from sdrun.interrupt import Interrupt
from sdrun.judges.parts import Parts
from sdrun.settings import Settings
from sdrun.storage.folder import RunFolder
from sdrun.storage.record import Record
from sdrun.storage.store import Store
from sdrun.task import Task
from sdrun.teachers.guest import Guest


@dataclass(frozen=True, kw_only=True)
class Context:
    """Settings, task and hardware of a run, and where its numbers go. Only the first rank has a ``record``; it alone
    evaluates and writes. ``store``: what the runs of a sweep share; ``guests``: networks of other runs that teach, none
    where nothing is trained or judged.
    """

    settings: Settings
    task: Task
    hardware: Hardware
    folder: RunFolder
    record: Record | None
    display: Display
    interrupt: Interrupt
    store: Store | None = None
    guests: tuple[Guest, ...] = ()

    @cached_property
    def data(self) -> Parts:
        """The items as judges see them."""
        return Parts(self.task, self.hardware)
