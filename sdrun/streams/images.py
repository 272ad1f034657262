"""Labelled images in memory, shuffled anew each epoch."""

import torch
from torch import Tensor

from sdrun.randomness import Draws, generator
from sdrun.streams.batch import Batch
from sdrun.views.view import Normalise, View


class ImageStream:
    """``stream(step)``: augmented views of the images of that step, the same at every call.

    images: [N, C, H, W] uint8 and labels: [N], both on the device that computes. ``batch_size`` is that of all ranks
    together; each rank gets its own equal part. An epoch is ``N // batch_size`` steps: a permutation of its own, of
    which the remainder is left out.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        view: View,
        role: str,
        batch_size: int,
        words: tuple[object, ...],
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.images, self.labels, self.view, self.role = images, labels, view, role
        self.batch_size, self.words = batch_size, words
        self.steps_per_epoch = len(labels) // batch_size
        part = batch_size // world
        self.rows = slice(rank * part, (rank + 1) * part)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def __call__(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        start = place * self.batch_size
        index = self._permutation(epoch)[start + self.rows.start : start + self.rows.stop]
        draws = Draws((*self.words, step), self.rows, self.batch_size)
        u = draws.uniform(self.role, self.view.num_draws).to(self.images.device, non_blocking=True)
        view = self.view(self.images[index], u)
        return Batch(step, index, {self.role: [view]}, self.labels[index], draws)

    def examples(self, rows: int, num: int, clean: Normalise) -> dict[str, Tensor]:
        """The first ``rows`` images, clean and as ``num`` draws of the view: [rows, C, H, W] in 0 to 1 by title."""
        images = self.images[:rows]
        columns = {"clean": clean(images)}
        for number in range(1, num + 1):
            draws = Draws((*self.words, "example", number), slice(0, len(images)), len(images))
            columns[f"{self.role} {number}"] = self.view(
                images, draws.uniform(self.role, self.view.num_draws).to(images.device)
            )
        return {title: clean.undo(x) for title, x in columns.items()}

    def _permutation(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            order = torch.randperm(len(self.labels), generator=generator(*self.words, "epoch", epoch))
            self._epoch, self._order = epoch, order.to(self.images.device)
        return self._order
