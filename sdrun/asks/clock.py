"""The time that was given to an ask, and what is left of it."""

import time

from sdrun.asks.folder import AskFolder


class Clock:
    """What passes while this process is at the ask is spent; what a kill loses since the last note is not."""

    def __init__(self, folder: AskFolder) -> None:
        self.folder, self._began, self._before = folder, time.monotonic(), float(folder.content["spent"])

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
        self.folder.note(spent=round(self.spent, 3))
