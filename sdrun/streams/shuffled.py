"""Items of a source, shuffled anew each time all have been seen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from sdrun.data.source import Fields, Source
from sdrun.randomness import Draws, generator
from sdrun.settings import CLEAN
from sdrun.streams.batch import Batch, Stream
from sdrun.trees import Tree, leaves, rows, tree_map


class View(Protocol):
    """How items are seen: a pure function of their fields and of ``num_draws`` uniform numbers an item."""

    @property
    def num_draws(self) -> int: ...

    def __call__(self, fields: Fields, u: Tensor) -> Tree:
        """fields: [B, ...] each; u: [B, num_draws] in [0, 1)."""


class Shuffled:
    """``stream(step)``: views of the items of that step, the same at every call.

    ``views``: by role, how an item is seen and how many times; ``inputs``: the fields that views look at, all others
    are known of an item. ``batch_size`` is that of all ranks together; each rank gets its own equal part. Items are
    drawn from the positions ``pool`` [M]: a permutation of its own for each round of ``M // batch_size`` steps, of
    which the remainder is left out; of a pool that is smaller than a batch, as many permutations as fill one. An epoch
    is as long as a round over the whole source, whatever part of it the pool has. ``lineage``: see ``Stream``.
    """

    def __init__(
        self,
        source: Source,
        *,
        inputs: tuple[str, ...],
        views: Mapping[str, tuple[View, int]],
        clean: View,
        pool: Tensor,
        batch_size: int,
        words: tuple[object, ...],
        rank: int = 0,
        world: int = 1,
        lineage: Sequence[dict[str, str]] = (),
    ) -> None:
        self.source, self.inputs, self.views, self.clean, self.pool = source, inputs, views, clean, pool
        self.batch_size, self.words, self.lineage = batch_size, words, list(lineage)
        self.steps_per_epoch = len(source) // batch_size
        self.turns = -(-batch_size // len(pool))
        self.steps_per_round = self.turns * len(pool) // batch_size
        part = batch_size // world
        self.rows = slice(rank * part, (rank + 1) * part)
        self._round, self._order = -1, torch.empty(0, dtype=torch.long)

    def __call__(self, step: int) -> Batch:
        return self.see(step, self.gather(step))

    def gather(self, step: int) -> tuple[Tensor, Fields]:
        """Positions [B] and fields of the items of this rank's part."""
        number, place = divmod(step, self.steps_per_round)
        start = place * self.batch_size
        index = self._permutation(number)[start + self.rows.start : start + self.rows.stop]
        return index, self.source.fetch(index)

    def see(self, step: int, items: tuple[Tensor, Fields]) -> Batch:
        """See ``Stream.see``."""
        index, fields = items
        index, fields = tree_map(self._on_device, (index, fields))
        draws = self.draws(step)
        views = {role: self.seen(fields, role, num, draws, role) for role, (_, num) in self.views.items()}
        known = {name: values for name, values in fields.items() if name not in self.inputs}
        return Batch(step, index, views, known, draws)

    def draws(self, step: int) -> Draws:
        """The uniform numbers of this rank's part of a step."""
        return Draws((*self.words, step), self.rows, self.batch_size)

    def seen(self, fields: Fields, role: str, num: int, draws: Draws, purpose: str) -> list[Tree]:
        """``num`` independent views of each item as ``role``, computed as one batch, with draws for ``purpose``."""
        view, _ = self.views[role]
        inputs = {name: self._on_device(fields[name]) for name in self.inputs}
        size = len(next(iter(inputs.values())))
        u = draws.uniform(purpose, num * view.num_draws).to(self.pool.device, non_blocking=True)
        if num == 1:
            return [view(inputs, u)]
        u = u.view(size, num, -1).transpose(0, 1).flatten(0, 1)
        together = view(tree_map(lambda values: torch.cat([values] * num), inputs), u)
        return [rows(together, start, start + size) for start in range(0, num * size, size)]

    def examples(self, rows: int, num: int) -> dict[str, dict[str, Tree]]:
        """Of the first ``rows`` items of the pool; see ``Stream.examples``."""
        fields = tree_map(self._on_device, self.source.fetch(self.pool[:rows]))
        size = len(next(leaves(fields)))
        draws = Draws((*self.words, "example"), slice(0, size), size)
        inputs = {name: fields[name] for name in self.inputs}
        return {
            role: {
                CLEAN: self.clean(inputs, torch.empty(size, 0, device=self.pool.device)),
                **{f"{role} {n}": x for n, x in enumerate(self.seen(fields, role, num, draws, role), start=1)},
            }
            for role in self.views
            if role != CLEAN
        }

    def _on_device(self, values: Tensor) -> Tensor:
        return values.to(self.pool.device, non_blocking=True)

    def _permutation(self, number: int) -> Tensor:
        if number != self._round:
            random = generator(*self.words, "epoch", number)
            order = torch.cat([torch.randperm(len(self.pool), generator=random) for _ in range(self.turns)])
            self._round, self._order = number, self.pool[order.to(self.pool.device)]
        return self._order


class Beside:
    """A stream, and the batches of others beside its own. Steps and epochs are those of the first."""

    def __init__(self, stream: Stream, beside: Mapping[str, Stream]) -> None:
        self.stream, self.beside = stream, beside
        self.steps_per_epoch = stream.steps_per_epoch
        self.batch_size = stream.batch_size + sum(other.batch_size for other in beside.values())
        self.lineage = [entry for one in (stream, *beside.values()) for entry in one.lineage]

    def __call__(self, step: int) -> Batch:
        return self.see(step, self.gather(step))

    def gather(self, step: int) -> tuple[Tree, dict[str, Tree]]:
        """See ``Stream.gather``."""
        return self.stream.gather(step), {name: other.gather(step) for name, other in self.beside.items()}

    def see(self, step: int, items: tuple[Tree, dict[str, Tree]]) -> Batch:
        """See ``Stream.see``."""
        own, others = items
        beside = {name: other.see(step, others[name]) for name, other in self.beside.items()}
        return replace(self.stream.see(step, own), beside=beside)

    def examples(self, rows: int, num: int) -> dict[str, dict[str, Tree]]:
        """See ``Stream.examples``."""
        shown: dict[str, dict[str, Tree]] = {}
        for stream in (*self.beside.values(), self.stream):
            shown |= stream.examples(rows, num)
        return shown
