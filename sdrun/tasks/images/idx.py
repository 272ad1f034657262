"""The idx format of MNIST and its relatives, plain or gzipped."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from sdrun.data.labelled import Labelled, Published
from sdrun.errors import InputError, require
from sdrun.settings import Item
from sdrun.tasks.images.opened import LIMIT, opened

IDX_FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


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


def read_dataset(paths: list[Path], classes: list[str]) -> Published:
    """Grey images and labels in the four ``IDX_FILES``. Raises InputError where they do not go together."""

    def part(images: Path, labels: Path) -> Labelled:
        pixels, targets = read_idx(images, 3), read_idx(labels, 1)
        num, height, width = pixels.shape
        require(num > 0, str(images), "holds no images; a run needs some to train on and some to test with")
        size = f"holds images of {height}x{width} pixels"
        require(height == width > 0, str(images), f"{size}, but only square ones can be used; crop or pad them")
        require(len(targets) == num, str(labels), f"holds {len(targets)} labels for {num} images; fetch both again")
        most = len(classes) - 1
        require(targets.max() <= most, str(labels), f"holds labels above {most}; choose the dataset that has them")
        return Labelled({"image": pixels[:, None]}, targets.astype(np.int64))

    train, test = part(*paths[:2]), part(*paths[2:])
    sides = [labelled.fields["image"].shape[2] for labelled in (train, test)]
    differ = "holds images of {1}x{1} pixels, and the training images have {0}x{0}; make them alike".format(*sides)
    require(sides[0] == sides[1], str(paths[2]), differ)
    return Published(train, test, classes, Item("images", (1, sides[0], sides[0])))
