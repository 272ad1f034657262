"""Items by position: what a stream draws from."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sdrun.data.columns import Readable
from sdrun.data.labelled import Splits

Fields = dict[str, Tensor]
"""What there is of some items, by name: [B, ...] each."""


MOST_AT_ONCE, MOST_NUMBERS = 1000, 2**22


def at_once(shape: tuple[int, ...]) -> int:
    """How many items of a shape are looked at together where nothing is trained: 1,000, or fewer that are large.

    >>> at_once((1, 28, 28)), at_once((3, 224, 224))
    (1000, 27)
    """
    return min(MOST_AT_ONCE, max(1, MOST_NUMBERS // max(1, math.prod(shape))))


class Source(Protocol):
    """Items by position. It reads and decodes, and draws nothing at random."""

    def __len__(self) -> int: ...

    def fetch(self, index: Tensor) -> Fields:
        """The fields of the items at the positions ``index`` [B]."""

    @property
    def fingerprint(self) -> str:
        """Equal for equal items."""


@dataclass(frozen=True)
class Memory:
    """Items that are all there: ``fields`` [N, ...] on one device."""

    fields: Fields

    def __len__(self) -> int:
        return len(next(iter(self.fields.values())))

    def fetch(self, index: Tensor) -> Fields:
        return {name: values[index.to(values.device)] for name, values in self.fields.items()}

    @cached_property
    def fingerprint(self) -> str:
        return _digest(self.fields)


def in_memory(splits: Splits, device: torch.device) -> dict[str, Memory]:
    """The parts ``train``, ``val`` and ``test`` of labelled items, with the labels that a run may know.

    Only what they have in arrays: other columns are the task's to read.
    """
    return {
        name: Memory(
            {
                field: torch.tensor(values, device=device)
                for field, values in part.fields.items()
                if isinstance(values, np.ndarray)
            }
            | {"label": torch.tensor(splits.learned[name], device=device)}
        )
        for name, part in splits.parts.items()
    }


@dataclass(frozen=True)
class Read:
    """Items of which the field ``name`` is read each time, into the memory of the host."""

    name: str
    column: Readable

    def __len__(self) -> int:
        return self.column.shape[0]

    def fetch(self, index: Tensor) -> Fields:
        return {self.name: torch.from_numpy(self.column.read(index.cpu().numpy()))}

    @cached_property
    def fingerprint(self) -> str:
        return sha256(f"{self.name} {self.column.shape}".encode() + self.column.tobytes()).hexdigest()


@dataclass(frozen=True)
class Packed:
    """Items that are sequences of different lengths, one after another in ``fields`` [M] on one device.

    ``ends`` [N]: where each ends. They come as ``width`` long, and 0 after their end; what is longer is cut.
    """

    fields: Fields
    ends: Tensor
    width: int

    def __len__(self) -> int:
        return len(self.ends)

    def fetch(self, index: Tensor) -> Fields:
        index = index.to(self.ends.device)
        place = self._starts[index, None] + torch.arange(self.width, device=self.ends.device)
        inside = place < self.ends[index, None]
        place = place.where(inside, 0)
        return {name: values[place] * inside for name, values in self.fields.items()}

    @cached_property
    def _starts(self) -> Tensor:
        return torch.cat([self.ends.new_zeros(1), self.ends[:-1]])

    @cached_property
    def fingerprint(self) -> str:
        return _digest({**self.fields, "ends": self.ends}, str(self.width))


@dataclass(frozen=True)
class Rows:
    """Some items of a source, such as a fold: those at the positions ``rows`` [M]."""

    source: Source
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def fetch(self, index: Tensor) -> Fields:
        return self.source.fetch(self.rows[index.to(self.rows.device)])

    @cached_property
    def fingerprint(self) -> str:
        return _digest({"rows": self.rows}, self.source.fingerprint)


class OnDemand(Mapping[str, Source]):
    """Parts by name, those of ``made`` anew each time that they are asked for."""

    def __init__(self, there: Mapping[str, Source], made: Mapping[str, Callable[[], Source]]) -> None:
        self.there, self.made = there, made

    def __getitem__(self, name: str) -> Source:
        return self.made[name]() if name in self.made else self.there[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self.there, *self.made))

    def __len__(self) -> int:
        return len(self.there) + len(self.made)


@dataclass(frozen=True)
class With:
    """The items of a source with further fields, or other ones, such as refined labels: ``fields`` [N, ...]."""

    source: Source
    fields: Fields

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, index: Tensor) -> Fields:
        return self.source.fetch(index) | Memory(self.fields).fetch(index)

    @cached_property
    def fingerprint(self) -> str:
        return _digest(self.fields, self.source.fingerprint)


@dataclass(frozen=True)
class Only:
    """The items of a source of which no more than some fields are known, such as all but their labels."""

    source: Source
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, index: Tensor) -> Fields:
        fields = self.source.fetch(index)
        return {name: fields[name] for name in self.names}

    @cached_property
    def fingerprint(self) -> str:
        return _digest({}, self.source.fingerprint, *sorted(self.names))


def joined(parts: Sequence[Tensor]) -> Tensor:
    """One after another; sequences [B, L] that differ in length are filled up with 0, as those of ``Packed`` are."""
    widths = {part.shape[-1] for part in parts if part.ndim == 2}
    if len(widths) > 1:
        parts = [F.pad(part, (0, max(widths) - part.shape[-1])) for part in parts]
    return torch.cat(list(parts))


def _digest(fields: Mapping[str, Tensor], *words: str) -> str:
    digest = sha256("/".join(words).encode())
    for name, values in sorted(fields.items()):
        digest.update(f"{name} {tuple(values.shape)} {values.dtype}".encode())
        digest.update(values.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
