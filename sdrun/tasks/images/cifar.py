"""The CIFAR archives: pickles of arrays, read without running anything that a pickle may ask for."""

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from pickletools import genops
from typing import Any

import numpy as np

from sdrun.data.labelled import Labelled, Published
from sdrun.errors import InputError
from sdrun.settings import Item
from sdrun.tasks.images.opened import opened

RECONSTRUCT = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
ALLOWED = {*RECONSTRUCT, "numpy.ndarray", "numpy.dtype", "_codecs.encode"}

MOST_TUPLES = 16
"""Each may hold the one before it twice, and is hashed as often where it is a key."""

LEAVES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "BINFLOAT", "NONE", "NEWTRUE", "NEWFALSE"),
    *("BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES"),
    *("MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "MARK", "APPENDS", "FRAME"),
}
"""The opcodes of numbers and names, of which each image has some; all others are few."""
MOST_OTHERS = 200
BYTES_A_LEAF = 64
"""A batch has hundreds of bytes for each; one with fewer would take many times its size as objects."""


def read_batches(paths: list[Path], label_key: str, num_classes: int) -> Labelled:
    """Images of 3x32x32 from CIFAR's Python batches. Raises InputError that names a broken file."""
    images, labels = [], []
    for path in paths:
        try:
            with opened(path) as file:
                content = _content(file.read())
            images.append(_pixels(content.get("data")).reshape(-1, 3, 32, 32))
            labels.append(_labels(content.get(label_key), label_key, num_classes))
        except InputError:
            raise
        except Exception as error:  # a broken pickle raises nearly anything
            reason = ascii(str(error) or type(error).__name__)[1:-1]
            raise InputError(f"{path} is no CIFAR batch ({reason[:200]}); fetch it again") from error
        if len(images[-1]) != len(labels[-1]):
            raise InputError(f"{path} holds {len(images[-1])} images and {len(labels[-1])} labels; fetch it again")
    return Labelled({"image": np.concatenate(images)}, np.concatenate(labels))


def _pixels(array: Any) -> np.ndarray:
    """[N, 3072] uint8 of a noted array."""
    match array:
        case _Noted(name, _, (1, (int(num), 3072), _Noted("numpy.dtype", ("u1", *_)), is_fortran, raw)):
            if name in RECONSTRUCT and num > 0:
                order: Any = "F" if is_fortran else "C"
                return np.frombuffer(_bytes(raw), dtype=np.uint8).reshape((num, 3072), order=order)
    raise ValueError("its data are no bytes, 3072 an image")


def _bytes(raw: Any) -> bytes:
    """What Python 2 pickled as bytes, and Python 3 as their text in Latin 1."""
    match raw:
        case bytes():
            return raw
        case str(text) | _Noted("_codecs.encode", (str(text), "latin1")):
            return text.encode("latin1")
    raise ValueError("its data are no bytes, 3072 an image")


def _labels(labels: Any, key: str, num_classes: int) -> np.ndarray:
    """[N] int64 of a list of classes."""
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < num_classes for label in labels):
        raise ValueError(f"its {key} are no list of whole numbers from 0 to {num_classes - 1}")
    return np.array(labels, dtype=np.int64)


@dataclass
class _Noted:
    """A function or class that a pickle asks for, what it would call it with, and the state of what that gave.

    It is noted and never called: to make an array of it is left to ``_pixels``.
    """

    name: str
    arguments: tuple = ()
    state: Any = None

    def __call__(self, *arguments: Any) -> "_Noted":
        return _Noted(self.name, arguments)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _Noted(f"{module}.{name}")


def _content(data: bytes) -> dict[Any, Any]:
    """The dictionary of a pickle. Raises ValueError where it would not be of about the size of its file."""
    leaves = others = tuples = 0
    for opcode, argument, _ in genops(data):
        tuples += "TUPLE" in opcode.name
        if tuples > MOST_TUPLES:
            raise ValueError("it has far more tuples than images need")
        leaves += opcode.name in LEAVES
        others += opcode.name not in LEAVES
        if opcode.name.endswith("PUT") and int(argument or 0) > len(data) // BYTES_A_LEAF + MOST_OTHERS:
            raise ValueError("it has a memo far larger than itself")
        if others > MOST_OTHERS or leaves > MOST_OTHERS + len(data) // BYTES_A_LEAF:
            raise ValueError("it is made of far more objects than images need")
    content = _Unpickler(io.BytesIO(data), encoding="latin1").load()
    if type(content) is not dict:
        raise ValueError("it holds no dictionary")
    return content


def read_dataset(paths: list[Path], label_key: str, classes: list[str]) -> Published:
    """Colour images and labels in batches, the last of which is the test set."""
    train, test = (read_batches(part, label_key, len(classes)) for part in (paths[:-1], paths[-1:]))
    return Published(train, test, classes, Item("images", (3, 32, 32)))
