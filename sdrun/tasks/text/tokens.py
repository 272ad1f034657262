"""Texts as whole numbers, which models take."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

PAD, MASK = 0, 1
"""Numbers of no token and of a masked one; all others have larger ones."""


@dataclass(frozen=True)
class Tokens:
    """Numbers of all texts, one after another, int32: of text i those before ``ends[i]`` and after ``ends[i - 1]``.

    ``starts``: whether a word starts there. ``num_cut``: texts that were longer.
    """

    numbers: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    num_cut: int

    @property
    def fields(self) -> dict[str, np.ndarray]:
        """What views may look at."""
        return {"tokens": self.numbers, "starts": self.starts}

    @property
    def longest(self) -> int:
        """Tokens of the longest text."""
        return int(np.diff(self.ends, prepend=0).max(initial=1))


class Reader(Protocol):
    """How texts become numbers, and numbers a text again. ``fingerprint``: equal where these are the same numbers."""

    fingerprint: str

    def encode(self, texts: Iterable[str], length: int) -> Tokens:
        """Of each text the first ``length`` tokens."""

    def text(self, numbers: Sequence[int]) -> str:
        """What these numbers stand for, as far as that can be told."""


def pack(encoded: Iterable[tuple[Sequence[int], Sequence[bool]]], length: int) -> Tokens:
    """The numbers of each text, and where words start among them, cut to ``length``."""
    numbers, starts, ends = array("i"), bytearray(), array("q")
    num_cut = 0
    for own_numbers, own_starts in encoded:
        num_cut += len(own_numbers) > length
        numbers.extend(own_numbers[:length])
        starts.extend(own_starts[:length])
        ends.append(len(numbers))
    return Tokens(
        np.frombuffer(numbers, dtype=np.int32),
        np.frombuffer(bytes(starts), dtype=bool),
        np.frombuffer(ends, dtype=np.int64),
        num_cut,
    )
