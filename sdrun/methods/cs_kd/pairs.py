"""Batches in which each item's second view is one of its partner: another item of its class."""

from dataclasses import replace

import torch
from torch import Tensor

from sdrun.streams.batch import Batch
from sdrun.streams.shuffled import Shuffled
from sdrun.trees import Tree


class ClassPairs:
    """``stream``, which has one role and the labels [N] of its source, with partners.

    The partner is drawn anew at each step, from the class in the stream's pool; an item that is alone in its class is
    its own.
    """

    def __init__(self, stream: Shuffled, labels: Tensor) -> None:
        self.stream = stream
        self.steps_per_epoch, self.batch_size, self.lineage = stream.steps_per_epoch, stream.batch_size, stream.lineage
        of_pool, self.order = labels[stream.pool].sort(stable=True)
        self.size = of_pool.bincount()
        self.start = self.size.cumsum(0) - self.size
        self.place = torch.empty_like(labels)
        self.place[stream.pool[self.order]] = torch.arange(len(of_pool), device=labels.device) - self.start[of_pool]
        self.labels = labels

    def __call__(self, step: int) -> Batch:
        return self.see(step, self.gather(step))

    def gather(self, step: int) -> tuple[Tree, Tree]:
        """The items of a step, and their partners."""
        index, fields = self.stream.gather(step)
        return (index, fields), self.stream.source.fetch(self.partner(step, index))

    def see(self, step: int, items: tuple[Tree, Tree]) -> Batch:
        """See ``Stream.see``."""
        own, partners = items
        batch = self.stream.see(step, own)
        (role,) = self.stream.views
        seen = self.stream.seen(partners, role, 1, batch.draws, f"{role} of partner")
        return replace(batch, views={role: [*batch.views[role], *seen]})

    def partner(self, step: int, index: Tensor) -> Tensor:
        """Positions [B] in the source, of the items at the positions ``index`` [B] of this step."""
        label = self.labels[index]
        size = self.size[label]
        u = self.stream.draws(step).uniform("partner", 1)[:, 0].to(size.device)
        further = 1 + (u * (size - 1)).long()
        place = (self.place[index] + further) % size
        return self.stream.pool[self.order[self.start[label] + place]]

    def examples(self, rows: int, num: int) -> dict[str, dict[str, Tree]]:
        """See ``Stream.examples``."""
        return self.stream.examples(rows, num)
