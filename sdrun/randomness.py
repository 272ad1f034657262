"""Randomness by name: every random number of a run is a pure function of words such as (seed, stage, step)."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor


def seed_of(*words: object) -> int:
    """A 63-bit seed for the words; the same on every machine. Imports no torch."""
    text = "/".join(map(str, words))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(*words: object) -> "Generator":
    """A CPU generator seeded by the words."""
    import torch

    return torch.Generator().manual_seed(seed_of(*words))


@dataclass(frozen=True)
class Draws:
    """Uniform numbers for some rows of a batch, equal however the batch is split over ranks and accumulated parts.

    ``rows`` are this part's rows of the whole batch, which has ``total``.
    """

    words: tuple[object, ...]
    rows: slice
    total: int

    def uniform(self, name: str, num: int) -> "Tensor":
        """Numbers in [0, 1) of shape [rows, num], drawn for the purpose ``name``."""
        import torch

        return torch.rand(self.total, num, generator=generator(*self.words, name))[self.rows]

    def narrow(self, start: int, stop: int) -> "Draws":
        """The same draws for rows ``start`` to ``stop`` of this part."""
        return Draws(self.words, slice(self.rows.start + start, self.rows.start + stop), self.total)
