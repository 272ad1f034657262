"""What a stream gives for a step."""

from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from sdrun.data.source import Fields
from sdrun.randomness import Draws
from sdrun.trees import Tree, rows


@dataclass(frozen=True)
class Batch:
    """One rank's part of the batch of a step.

    ``index`` [B]: positions in the source; ``views``: items by role, each a list of views of all items; ``known``: what
    else is known of the items, such as ``label``, by name; ``draws``: uniform numbers for whatever else is random about
    these items; ``beside``: batches of other items that a method learns from at the same step; ``targets``: what a
    surrogate says of the items, under a control, and None otherwise.
    """

    step: int
    index: Tensor
    views: dict[str, list[Tree]]
    known: Fields
    draws: Draws
    beside: dict[str, "Batch"] = field(default_factory=dict)
    targets: Tree = None

    def __len__(self) -> int:
        return len(self.index)

    def split(self, parts: int) -> list["Batch"]:
        """``parts`` batches of equal size, whose rows together are this one's."""
        if parts == 1:
            return [self]
        size = len(self) // parts
        others = {name: batch.split(parts) for name, batch in self.beside.items()}
        return [
            Batch(
                self.step,
                self.index[start : start + size],
                rows(self.views, start, start + size),
                rows(self.known, start, start + size),
                self.draws.narrow(start, start + size),
                {name: pieces[part] for name, pieces in others.items()},
            )
            for part, start in enumerate(range(0, size * parts, size))
        ]


class Stream(Protocol):
    """A pure function: the same step gives the same batch. ``batch_size`` counts the parts of all ranks.

    ``lineage`` says where items come from that are not the run's own data, as ``Objective.teachers`` does of targets.
    """

    steps_per_epoch: int
    batch_size: int
    lineage: list[dict[str, str]]

    def gather(self, step: int) -> Tree:
        """The items of a step, from wherever the source has them, at any time before it."""

    def see(self, step: int, items: Tree) -> Batch:
        """Views of them, on the device that computes."""

    def __call__(self, step: int) -> Batch: ...

    def examples(self, rows: int, num: int) -> dict[str, dict[str, Tree]]:
        """``rows`` items, clean and as ``num`` draws of each view: by role and title."""
