"""The time that was given to an ask, and what is left of it."""

import time
from pathlib import Path

from sdrun.asks.folder import AskFolder
from sdrun.storage.place import SWEEP


class Clock:
    """What passes while this process is at the ask is spent, and what passed before it until ``changed``.

    ``changed``: when the sweep changed last before this process came, as it does where a job begins and ends: what a
    kill cut off is spent as well, but for the part of a job.
    """

    def __init__(self, folder: AskFolder, changed: float) -> None:
        spent, noted = folder.content["spent"], folder.content.get("noted", changed)
        self.folder, self._began = folder, time.monotonic()
        self._before = float(spent) + max(0.0, changed - noted)

    @property
    def granted(self) -> float:
        """Seconds in all."""
        return float(sum(self.folder.content["grants"]))

    @property
    def spent(self) -> float:
        return self._before + time.monotonic() - self._began

    @property
    def left(self) -> float:
        return self.granted - self.spent

    @property
    def until(self) -> float:
        """When time is up, by ``time.monotonic``."""
        return time.monotonic() + self.left

    def note(self) -> None:
        self.folder.note(spent=round(self.spent, 3), noted=time.time())


def changed(path: Path) -> float:
    """When the sweep in ``path`` changed last, as the time of day; of none it is now."""
    try:
        return (path / SWEEP).stat().st_mtime
    except FileNotFoundError:
        return time.time()
