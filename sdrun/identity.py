"""What a stage is, as a hash: two stages with the same one come out with the same bits.

All that a training computes from is looked at, down to the attributes of the objective, the stream and the judge, and
what functions close over. Data are known by the fingerprints of a run, teachers by the hashes of their weights, code by
its text. What cannot be told apart for certain has no identity.
"""

import functools
import hashlib
import re
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sdrun.data.labelled import Splits
from sdrun.data.source import Read
from sdrun.judges.parts import Parts
from sdrun.task import Task

KNOWN_BY_RUN = (Read, Splits, Task, Parts)
"""Holders of a run's own items."""

PLAIN = (type(None), bool, int, float, complex, str, bytes, range, slice)
OF_TORCH = (torch.device, torch.dtype, torch.Size, torch.memory_format, torch.layout)


class Unknowable(Exception):
    """Something of which it cannot be told whether it is the same as another."""


def identity(*parts: Any) -> str:
    """The hash of values, objects and functions. Raises Unknowable, which names what has none."""
    written = _Written()
    for part in parts:
        written.add(part)
    return written.digest.hexdigest()


@cache
def source_digest() -> str:
    """The hash of all of sdrun's own code."""
    top = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(top.rglob("*.py")):
        digest.update(f"{file.relative_to(top)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


class _Written:
    """A hash of all that was added. An object that was seen before is the number that it had."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self._numbers: dict[int, int] = {}
        self._seen: list[object] = []  # kept, or another object could get the same address

    def add(self, value: Any) -> None:
        kind = type(value)
        if kind in PLAIN or isinstance(value, (Path, *OF_TORCH)):
            self._text(kind, repr(value))
        elif isinstance(value, Enum):
            self._text(kind, value.name)
        elif isinstance(value, type):
            self._text(kind, _named(value))
        elif isinstance(value, re.Pattern):
            self._text(kind, f"{value.flags} {value.pattern!r}")
        elif self._is_new(value):
            self._object(value)

    def _object(self, value: Any) -> None:
        kind = type(value)
        if isinstance(value, KNOWN_BY_RUN):
            self._text(kind, "")
        elif isinstance(value, Tensor):
            array = value.detach().cpu().contiguous()
            self._text(kind, f"{array.dtype} {tuple(array.shape)} {value.requires_grad}")
            self.digest.update(array.flatten().view(torch.uint8).numpy().data)
        elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self._text(kind, f"{value.dtype.str} {value.shape}")
            self.digest.update(np.ascontiguousarray(value).data)
        elif isinstance(value, Mapping):
            self._several(kind, [part for pair in value.items() for part in pair])
        elif isinstance(value, set | frozenset):
            self._several(kind, sorted(value, key=repr))
        elif isinstance(value, Sequence):
            self._several(kind, value)
        elif isinstance(value, functools.partial):
            self._several(kind, [value.func, value.args, value.keywords])
        elif isinstance(value, types.FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            self._text(kind, _named(value))
            self._several(tuple, [value.__code__, value.__defaults__, value.__kwdefaults__, *cells])
        elif isinstance(value, types.MethodType):
            self._several(kind, [value.__func__, value.__self__])
        elif isinstance(value, types.BuiltinFunctionType):
            self._text(kind, value.__qualname__)
            self.add(value.__self__ if not isinstance(value.__self__, types.ModuleType) else value.__self__.__name__)
        elif isinstance(value, types.CodeType):
            self._several(kind, [value.co_code, value.co_names, value.co_consts])
        else:
            state = _state(value)
            self._several(kind, [part for pair in state.items() for part in pair])

    def _several(self, kind: type, parts: Sequence[Any]) -> None:
        self._text(kind, str(len(parts)))
        for part in parts:
            self.add(part)

    def _text(self, kind: type, text: str) -> None:
        content = f"{_named(kind)} {text}".encode()
        self.digest.update(f"{len(content)} ".encode() + content)

    def _is_new(self, value: object) -> bool:
        number = self._numbers.setdefault(id(value), len(self._numbers))
        if number < len(self._seen):
            self._text(type(value), f"number {number}")
            return False
        self._seen.append(value)
        return True


def _state(value: object) -> dict[str, Any]:
    """All attributes, but those that a property keeps and that may not be there yet.

    Raises Unknowable where Python would not know from them what to pickle, for then there is more than they tell.
    """
    kind = type(value)
    if kind.__reduce_ex__ is not object.__reduce_ex__ or kind.__reduce__ is not object.__reduce__:
        raise Unknowable(_named(kind))
    try:
        state = object.__reduce_ex__(value, 2)[2]
    except TypeError as error:
        raise Unknowable(_named(kind)) from error
    attributes, slots = state if isinstance(state, tuple) else (state, {})
    return {name: part for name, part in {**(attributes or {}), **slots}.items() if not _is_computed(kind, name)}


def _named(thing: type | types.FunctionType) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _is_computed(kind: type, name: str) -> bool:
    return any(isinstance(vars(base).get(name), cached_property) for base in kind.__mro__)
