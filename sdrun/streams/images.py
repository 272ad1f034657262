"""Images in memory, shuffled anew each time all have been seen."""

from dataclasses import replace

import torch
from torch import Tensor

from sdrun.randomness import Draws, generator
from sdrun.streams.batch import Batch
from sdrun.views.view import Normalise, View


class ImageStream:
    """``stream(step)``: augmented views of the images of that step, the same at every call.

    images: [N, C, H, W] uint8 and labels: [N], both on the device that computes. ``views``: by role, how an image is
    seen and how many times. ``batch_size`` is that of all ranks together; each rank gets its own equal part. Images
    are drawn from the positions ``pool`` [M]: a permutation of its own for each round of ``M // batch_size`` steps, of
    which the remainder is left out; of a pool that is smaller than a batch, as many permutations as fill one. An epoch
    is as long as a round over all N images, whatever part of them the pool has.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        views: dict[str, tuple[View | Normalise, int]],
        pool: Tensor,
        batch_size: int,
        words: tuple[object, ...],
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.images, self.labels, self.views, self.pool = images, labels, views, pool
        self.batch_size, self.words = batch_size, words
        self.steps_per_epoch = len(images) // batch_size
        self.turns = -(-batch_size // len(pool))
        self.steps_per_round = self.turns * len(pool) // batch_size
        part = batch_size // world
        self.rows = slice(rank * part, (rank + 1) * part)
        self._round, self._order = -1, torch.empty(0, dtype=torch.long)

    def __call__(self, step: int) -> Batch:
        number, place = divmod(step, self.steps_per_round)
        start = place * self.batch_size
        index = self._permutation(number)[start + self.rows.start : start + self.rows.stop]
        draws = Draws((*self.words, step), self.rows, self.batch_size)
        images = self.images[index]
        views = {role: _seen(images, role, view, num, draws) for role, (view, num) in self.views.items()}
        return Batch(step, index, views, self.labels[index], draws)

    def examples(self, rows: int, num: int, clean: Normalise) -> dict[str, dict[str, Tensor]]:
        """Of the first ``rows`` images of the pool; see ``Stream.examples``."""
        images = self.images[self.pool[:rows]]
        found = {}
        for role, (view, _) in self.views.items():
            if view is clean:
                continue
            draws = Draws((*self.words, "example"), slice(0, len(images)), len(images))
            seen = _seen(images, role, view, num, draws)
            columns = {"clean": clean(images), **{f"{role} {n}": x for n, x in enumerate(seen, start=1)}}
            found[role] = {title: clean.undo(x) for title, x in columns.items()}
        return found

    def _permutation(self, number: int) -> Tensor:
        if number != self._round:
            random = generator(*self.words, "epoch", number)
            order = torch.cat([torch.randperm(len(self.pool), generator=random) for _ in range(self.turns)])
            self._round, self._order = number, self.pool[order.to(self.images.device)]
        return self._order


class Paired:
    """Labelled batches, each with one of unlabelled images beside it. Steps and epochs are those of the labelled."""

    def __init__(self, labelled: ImageStream, unlabelled: ImageStream) -> None:
        self.labelled, self.unlabelled = labelled, unlabelled
        self.steps_per_epoch = labelled.steps_per_epoch
        self.batch_size = labelled.batch_size + unlabelled.batch_size

    def __call__(self, step: int) -> Batch:
        return replace(self.labelled(step), unlabelled=self.unlabelled(step))

    def examples(self, rows: int, num: int, clean: Normalise) -> dict[str, dict[str, Tensor]]:
        """See ``Stream.examples``."""
        return self.unlabelled.examples(rows, num, clean) | self.labelled.examples(rows, num, clean)


class ClassPairs:
    """Labelled batches in which each image's second view is one of its partner: another image of its class.

    ``stream`` has one role. The partner is drawn anew at each step, from the class in the stream's pool; an image
    that is alone in its class is its own.
    """

    def __init__(self, stream: ImageStream) -> None:
        self.stream = stream
        self.steps_per_epoch, self.batch_size = stream.steps_per_epoch, stream.batch_size
        labels, self.order = stream.labels[stream.pool].sort(stable=True)
        self.size = labels.bincount()
        self.start = self.size.cumsum(0) - self.size
        self.place = torch.empty_like(stream.labels)
        self.place[stream.pool[self.order]] = torch.arange(len(labels), device=labels.device) - self.start[labels]

    def __call__(self, step: int) -> Batch:
        batch = self.stream(step)
        ((role, (view, _)),) = self.stream.views.items()
        images = self.stream.images[self.partner(batch)]
        return replace(
            batch, views={role: [*batch.views[role], *_seen(images, f"{role} of partner", view, 1, batch.draws)]}
        )

    def partner(self, batch: Batch) -> Tensor:
        """Positions [B] in the training set."""
        size = self.size[batch.label]
        u = batch.draws.uniform("partner", 1)[:, 0].to(size.device)
        step = 1 + (u * (size - 1)).long()
        place = (self.place[batch.index] + step) % size
        return self.stream.pool[self.order[self.start[batch.label] + place]]

    def examples(self, rows: int, num: int, clean: Normalise) -> dict[str, dict[str, Tensor]]:
        """See ``Stream.examples``."""
        return self.stream.examples(rows, num, clean)


def _seen(images: Tensor, role: str, view: View | Normalise, num: int, draws: Draws) -> list[Tensor]:
    """``num`` independent views of each image, computed as one batch."""
    u = draws.uniform(role, num * view.num_draws).to(images.device, non_blocking=True)
    if num == 1:
        return [view(images, u)]
    u = u.view(len(images), num, -1).transpose(0, 1).flatten(0, 1)
    return list(view(images.repeat(num, 1, 1, 1), u).chunk(num))
