"""SIGINT, SIGTERM and SIGHUP as a request to stop: after the step, or at once where nothing is lost. No torch."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from sdrun.errors import Interrupted


class Interrupt:
    """While this context is open, the first signal is remembered in ``signum``; a second one acts as without it.

    That of a closed terminal is left alone where it is ignored, as under ``nohup``. ``until``: when time is up, by
    ``time.monotonic``.
    """

    def __init__(self, until: float | None = None) -> None:
        self.until = until
        self.signum: int | None = None
        self._is_heeded_at_once = False
        self._previous: dict[int, object] = {}

    def __enter__(self) -> "Interrupt":
        asked = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            asked.append(signal.SIGHUP)
        self._previous = {number: signal.signal(number, self._note) for number in asked}
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._restore()

    @property
    def is_asked(self) -> bool:
        """Whether a signal came, or time is up."""
        return self.signum is not None or (self.until is not None and time.monotonic() >= self.until)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A context in which nothing is computed that could not be again: a signal raises Interrupted where it comes.

        So does one that came before.
        """
        self._is_heeded_at_once = True
        try:
            self._heed()
            yield
        finally:
            self._is_heeded_at_once = False

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.signum = signum
        self._restore()
        if self._is_heeded_at_once:
            self._heed()

    def _heed(self) -> None:
        if self.signum is not None:
            raise Interrupted(self.signum)

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._previous = {}
