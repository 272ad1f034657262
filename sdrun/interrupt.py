"""SIGINT, SIGTERM and SIGHUP as a request to stop after the step. Imports no torch."""

import signal
from types import FrameType, TracebackType


class Interrupt:
    """While this context is open, the first signal is remembered in ``signum``; a second one acts as without it.

    That of a closed terminal is left alone where it is ignored, as under ``nohup``.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> "Interrupt":
        asked = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            asked.append(signal.SIGHUP)
        self._previous = {number: signal.signal(number, self._note) for number in asked}
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._restore()

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.signum = signum
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._previous = {}
