"""What is learned: the items of a run, how they are seen, and what an answer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sdrun.answers.answers import Answers
from sdrun.data.labelled import TASK, Labelled, Splits
from sdrun.data.source import Fields, OnDemand, Rows, Source
from sdrun.errors import require
from sdrun.settings import Item
from sdrun.streams.shuffled import View
from sdrun.trees import Tree


def _as_it_is(view: Tree) -> Tree:
    return view


@dataclass(frozen=True)
class Flagged:
    """A view of images [B, C, H, W] or vectors [B, C], and after their channels 1 in that of the item's task."""

    view: View
    num: int

    @property
    def num_draws(self) -> int:
        return self.view.num_draws

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        require(TASK in fields, "dataset.stream.flag", "tells networks the task of an item, and these have none")
        seen = self.view(fields, u)
        flag = functional.one_hot(fields[TASK], self.num).to(seen)
        return torch.cat(
            [seen, flag.reshape(*flag.shape, *[1] * (seen.ndim - 2)).expand(-1, -1, *seen.shape[2:])], dim=1
        )


@dataclass(frozen=True, kw_only=True)
class Task:
    """A run's data on its device.

    ``splits``: labels, classes, and what an item is; ``parts``: by name, ``train``, ``val``, ``test``, and where there
    is one the ``copy`` of the test set; ``inputs``: fields of items that views look at, all others are known of them;
    ``views``: by role, of which ``clean``, which draws nothing, is always there; ``judge``: of networks that learn it,
    made of the parts as judges see them. For people, where items can be looked at: ``picture``, what a view shows as
    pictures [B, C, H, W] in 0 to 1, or ``text``. ``doubts``: what a person should be warned of.
    For networks of other runs: ``told``, what a view shows in a form that all runs share, such as pictures, and
    ``heard``, that form as this run's networks take it; ``reading``: what must be alike for that, such as the pieces
    of texts.
    ``drift``: items by an amount each [N] and the name of their part, as a stream changes them; None where none does.
    ``further``: items that come later in a stream, on the device; None where all are there.
    ``reads``: whether items are read from files each time, so that the next ones are better read ahead.
    """

    splits: Splits
    parts: Mapping[str, Source]
    inputs: tuple[str, ...]
    views: Mapping[str, View]
    answers: Answers
    judge: Callable[..., Any]
    copy: str | None = None
    picture: Callable[[Tree], Tensor] | None = None
    text: Callable[[Tree], list[str]] | None = None
    told: Callable[[Tree], Tree] = _as_it_is
    heard: Callable[[Tree], Tree] = _as_it_is
    reading: str = ""
    drift: Callable[[Source, np.ndarray, str], Source] | None = None
    further: Callable[[Labelled], Source] | None = None
    doubts: tuple[str, ...] = ()
    reads: bool = False

    def streamed(self) -> "Task":
        """With a part for each period of a stream, which has what that is judged on, made when it is asked for."""
        periods, pool = self.splits.periods, self.parts["pool"]
        assert periods

        def part(name: str) -> Source:
            judged = periods.judged(name)
            if isinstance(judged, Labelled):
                assert self.further
                return self.further(judged)
            items = Rows(pool, torch.from_numpy(judged))
            return self.drift(items, periods.amounts[name], name) if self.drift else items

        return replace(self, parts=OnDemand(self.parts, {name: partial(part, name) for name in periods.names}))

    def flagged(self, item: Item) -> "Task":
        """With the number of each item's task among what a network is told: images or vectors as ``item`` is."""
        size = self.splits.item.shape[0]

        def shown(seen: Tree) -> Tensor:
            assert isinstance(seen, Tensor)
            assert self.picture
            return self.picture(seen[:, :size])

        return replace(
            self,
            splits=replace(self.splits, item=item),
            inputs=(*self.inputs, TASK),
            views={role: Flagged(view, item.shape[0] - size) for role, view in self.views.items()},
            picture=shown if self.picture else None,
        )

    @property
    def can_be_seen(self) -> bool:
        """Whether items can be looked at."""
        return self.picture is not None or self.text is not None

    def shown(self, seen: Tree) -> list[np.ndarray] | list[str] | None:
        """What a view shows of each item: pictures [C, H, W] uint8, or texts, or None where there is nothing to see."""
        if self.picture:
            return list(self.picture(seen).mul(255).round().byte().cpu().numpy())
        return self.text(seen) if self.text else None
