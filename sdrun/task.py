"""What is learned: the items of a run, how they are seen, and what an answer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sdrun.answers.answers import Answers
from sdrun.data.labelled import Labelled, Splits
from sdrun.data.source import OnDemand, Rows, Source
from sdrun.streams.shuffled import View
from sdrun.trees import Tree


def _as_it_is(view: Tree) -> Tree:
    return view


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

    @property
    def can_be_seen(self) -> bool:
        """Whether items can be looked at."""
        return self.picture is not None or self.text is not None

    def shown(self, seen: Tree) -> list[np.ndarray] | list[str] | None:
        """What a view shows of each item: pictures [C, H, W] uint8, or texts, or None where there is nothing to see."""
        if self.picture:
            return list(self.picture(seen).mul(255).round().byte().cpu().numpy())
        return self.text(seen) if self.text else None
