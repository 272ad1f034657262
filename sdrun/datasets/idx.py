"""The idx format of MNIST and its relatives, plain or gzipped."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from sdrun.errors import InputError


def read_idx(path: Path) -> np.ndarray:
    """The unsigned bytes of an idx file in its own shape. Raises InputError that names a broken file."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}); fetch it again") from error
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise InputError(f"{path} is no idx file of bytes; fetch it again")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise InputError(f"{path} is cut inside its header; fetch it again")
    shape = np.frombuffer(data[4:start], dtype=">u4")
    body = np.frombuffer(data, dtype=np.uint8)[start:]
    if len(body) != shape.prod(dtype=np.int64):
        size = "x".join(map(str, shape))
        raise InputError(f"{path} is broken: it announces {size} bytes and holds {len(body)}; fetch it again")
    return body.reshape(shape)
