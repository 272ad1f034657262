"""Files of a dataset as anybody may have made them: what they announce is checked before it is taken."""

from pathlib import Path
from typing import BinaryIO

from sdrun.errors import require

LIMIT = 2**30
"""Bytes that a file may hold: six times those of the largest published one, of CIFAR-100."""


def opened(path: Path) -> BinaryIO:
    """A file, to be read. Raises InputError for a pipe or a device, which may never end, and for what is too large."""
    require(path.is_file(), str(path), "is no file; put the dataset's own in its place")
    require(path.stat().st_size <= LIMIT, str(path), "holds more than 1 GiB; fetch it again")
    return path.open("rb")
