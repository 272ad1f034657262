"""The ways a run ends early, and the exit code of each. Imports no torch."""

import errno
import signal
from textwrap import shorten

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of the errors of a full disk."""

LONGEST = 120
"""Characters of what another library says of an error."""


class InputError(ValueError):
    """Something the user gave cannot be used. The message names the key or file and the way out. Exit code 2."""


class RunError(RuntimeError):
    """A run could not go on, for a reason that the message explains in full. Exit code 1."""


class OutOfTime(Exception):
    """The time that somebody gave is up; what ran is saved."""


class Interrupted(BaseException):
    """A signal asked the run to stop, and its state is saved.

    No ``Exception``, so that it also ends the sweep that the run belongs to. Exit code 128 + signal: 129,
    130 or 143.
    """

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(f"interrupted by {signal.Signals(signum).name}")

    @property
    def exit_code(self) -> int:
        return 128 + self.signum


def require(condition: bool, key: str, message: str) -> None:
    """Raise InputError ``key: message`` unless the condition holds."""
    if not condition:
        raise InputError(f"{key}: {message}")


def said(error: Exception) -> str:
    """What an error of another library says, in a few words."""
    return shorten(str(error) or type(error).__name__, LONGEST, placeholder=" ...").rstrip(".")
