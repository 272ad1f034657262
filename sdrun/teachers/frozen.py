"""Teachers that do not change."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import nn

from sdrun.answers.answers import Answers
from sdrun.streams.batch import Batch
from sdrun.teachers.still import Still
from sdrun.teachers.together import Together
from sdrun.trees import Tree


class Frozen:
    """One frozen network, or the ensemble of several, as a teacher: the batch's view ``role`` to an answer.

    No ``nn.Module``, so that no parent switches it to training and no checkpoint holds it; its ``network`` is one, in
    eval mode and without gradients. ``lineage`` says where the networks come from.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        answers: Answers,
        autocast: Callable[[], AbstractContextManager],
        role: str = "weak",
        lineage: Sequence[dict[str, str]] = (),
    ) -> None:
        self.network = Still(Together(networks, answers))
        self.autocast, self.role = autocast, role
        self.lineage = list(lineage)

    def __call__(self, batch: Batch) -> Tree:
        return self.answer(batch.views[self.role][0])

    @torch.no_grad()
    def answer(self, view: Tree) -> Tree:
        """What it says of items as they are seen, in float32."""
        with self.autocast():
            return self.network(view)
