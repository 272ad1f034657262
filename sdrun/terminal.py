"""Standard output and error that no reader, disk or encoding can break a run by. Imports no torch."""

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO


class _Patient(io.FileIO):
    """A descriptor that is written to for as long as it can be; after that everything goes nowhere.

    A reader such as ``head`` has seen enough, a terminal was closed, or a disk is full: none of these is a reason to
    end a run, which has its own log.
    """

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def be_patient() -> None:
    """Let this process's output end without ending the process, and show what its encoding lacks as escapes."""
    sys.stdout, sys.stderr = (_patient(stream) for stream in (sys.stdout, sys.stderr))


def _patient(stream: TextIO) -> TextIO:
    """The stream itself where it has no descriptor, such as that of a test."""
    with suppress(OSError, ValueError, AttributeError):  # none at all, closed, or of another kind
        stream.flush()
        raw = _Patient(stream.fileno(), "w", closefd=False)
        return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, errors="backslashreplace", line_buffering=True)
    return stream
