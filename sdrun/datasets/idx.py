"""The idx format of MNIST and its relatives, plain or gzipped."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from sdrun.datasets.files import LIMIT, opened
from sdrun.errors import InputError


def read_idx(path: Path, num_dimensions: int) -> np.ndarray:
    """The unsigned bytes of an idx file in its own shape. Raises InputError that names a broken file."""
    try:
        with opened(path) as file:
            return _read(gzip.open(file) if path.suffix == ".gz" else file, num_dimensions)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}); fetch it again") from error
    except _Broken as error:
        raise InputError(f"{path} {error}; fetch it again") from error


class _Broken(Exception):
    """What is wrong with the content of a file."""


def _read(file: IO[bytes] | gzip.GzipFile, num_dimensions: int) -> np.ndarray:
    start = file.read(4)
    if len(start) < 4 or start[:3] != b"\0\0\x08":
        raise _Broken("is no idx file of bytes")
    if start[3] != num_dimensions:
        raise _Broken(f"has {start[3]} dimensions instead of {num_dimensions}")
    sides = file.read(4 * num_dimensions)
    if len(sides) < 4 * num_dimensions:
        raise _Broken("is cut inside its header")
    shape = struct.unpack(f">{num_dimensions}I", sides)
    num, size = math.prod(shape), "x".join(map(str, shape))
    if num > LIMIT:
        raise _Broken(f"announces {size} bytes, more than 1 GiB")
    body = file.read(num + 1)  # all that gzip may unpack: a small file can hold any number of zeros
    if len(body) != num:
        holds = f"more than the {num}" if len(body) > num else f"{len(body)}"
        raise _Broken(f"is broken: it announces {size} bytes and holds {holds}")
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)
