"""Fields of items, in memory or where they stay. Imports no torch."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np


class Column(Protocol):
    """A field of items that is no array, such as their texts.

    ``pieces``: for each item, bytes that are equal for equal items alone, whatever file they came from.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, index: np.ndarray) -> "Column": ...

    def tobytes(self) -> bytes: ...

    def pieces(self) -> Iterable[bytes]: ...


@runtime_checkable
class Readable(Column, Protocol):
    """A column that stays where it is, such as in files, and is read as it is needed."""

    def read(self, index: np.ndarray) -> np.ndarray:
        """The values [B, ...] of the items at these positions [B]."""


Columns: TypeAlias = Mapping[str, "np.ndarray | Column"]
