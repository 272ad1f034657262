"""Images of a folder as a column of a dataset, and as a source that reads them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sdrun.tasks.images.folders.decoded import Store


@dataclass(frozen=True)
class Pixels:
    """``rows`` [N]: which images of the ``store``, of the shape ``each``; ``digests`` [N, 32] uint8: of their files."""

    store: Store
    each: tuple[int, ...]
    rows: np.ndarray
    digests: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.each)

    def __getitem__(self, index: np.ndarray) -> "Pixels":
        return Pixels(self.store, self.each, self.rows[index], self.digests[index])

    def tobytes(self) -> bytes:
        """The hashes of the files, which stand for their pixels."""
        return self.digests.tobytes()

    def pieces(self) -> Iterable[bytes]:
        """See ``Column``."""
        return (digest.tobytes() for digest in self.digests)

    def read(self, index: np.ndarray) -> np.ndarray:
        """Pixels of the images at these positions: uint8 [B, C, H, W]."""
        return self.store.read(self.rows[index])
