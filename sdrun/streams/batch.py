"""What a stream gives for a step."""

from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from sdrun.randomness import Draws
from sdrun.views.view import Normalise


@dataclass(frozen=True)
class Batch:
    """One rank's part of the batch of a step.

    ``index`` [B]: positions in the training set; ``views``: images [B, C, H, W] by role, each a list; ``label`` [B],
    -1 where it is not known; ``draws``: uniform numbers for whatever else is random about these samples;
    ``unlabelled``: the batch of other images that a method learns from at the same step.
    """

    step: int
    index: Tensor
    views: dict[str, list[Tensor]]
    label: Tensor
    draws: Draws
    unlabelled: "Batch | None" = None

    def __len__(self) -> int:
        return len(self.index)

    def split(self, parts: int) -> list["Batch"]:
        """``parts`` batches of equal size, whose rows together are this one's."""
        if parts == 1:
            return [self]
        size = len(self) // parts
        pieces = [self._rows(start, start + size) for start in range(0, size * parts, size)]
        if self.unlabelled is None:
            return pieces
        others = self.unlabelled.split(parts)
        return [replace(piece, unlabelled=other) for piece, other in zip(pieces, others, strict=True)]

    def _rows(self, start: int, stop: int) -> "Batch":
        views = {role: [view[start:stop] for view in views] for role, views in self.views.items()}
        return Batch(self.step, self.index[start:stop], views, self.label[start:stop], self.draws.narrow(start, stop))


class Stream(Protocol):
    """A pure function: the same step gives the same batch. ``batch_size`` counts the parts of all ranks."""

    steps_per_epoch: int
    batch_size: int

    def __call__(self, step: int) -> Batch: ...

    def examples(self, rows: int, num: int, clean: Normalise) -> dict[str, dict[str, Tensor]]:
        """``rows`` images, clean and as ``num`` draws of each view: by role and title, [rows, C, H, W] in 0 to 1."""
