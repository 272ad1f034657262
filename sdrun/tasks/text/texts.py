"""Texts in one piece of memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sdrun.settings import Item

TEXTS = Item("texts", ())
"""What a text is, before a model says in which form it takes it."""


@dataclass(frozen=True)
class Texts:
    """``data``: the UTF-8 of all texts, one after another, uint8; ``ends`` [N]: where each ends.

    >>> list(Texts.of(["one", "two"])[np.array([1])])
    ['two']
    """

    data: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Texts":
        data, ends = bytearray(), []
        for text in texts:
            data += text.encode()
            ends.append(len(data))
        return cls(np.frombuffer(bytes(data), dtype=np.uint8), np.array(ends, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces(range(len(self))):
            yield str(piece, "utf-8")

    def __getitem__(self, index: np.ndarray) -> "Texts":
        data = b"".join(self._pieces(np.arange(len(self))[index]))
        lengths = np.diff(self.ends, prepend=0)[index]
        return Texts(np.frombuffer(data, dtype=np.uint8), lengths.cumsum())

    @property
    def shape(self) -> tuple[int]:
        return (len(self),)

    def tobytes(self) -> bytes:
        return self.data.tobytes() + self.ends.tobytes()

    def pieces(self) -> Iterator[bytes]:
        """See ``Column``."""
        return map(bytes, self._pieces(range(len(self))))

    def _pieces(self, index: Iterable[int]) -> Iterator[memoryview]:
        view: memoryview = self.data.data
        starts = np.concatenate([[0], self.ends[:-1]])
        for number in index:
            yield view[starts[number] : self.ends[number]]
