"""Teachers that do not change."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from sdrun.answers.answers import Answers
from sdrun.streams.batch import Batch
from sdrun.teachers.still import Still
from sdrun.trees import Tree, tree_map


class Frozen:
    """One frozen network, or the ensemble of several, as a teacher: the batch's view ``role`` to an answer.

    No ``nn.Module``, so that no parent switches it to training and no checkpoint holds it; the networks themselves
    are put in eval mode, without gradients. ``lineage`` says where they come from.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        answers: Answers,
        autocast: Callable[[], AbstractContextManager],
        role: str = "weak",
        lineage: Sequence[dict[str, str]] = (),
    ) -> None:
        self.networks = [Still(network) for network in networks]
        self.answers, self.autocast = answers, autocast
        self.role = role
        self.lineage = list(lineage)

    def __call__(self, batch: Batch) -> Tree:
        return self.answer(batch.views[self.role][0])

    @torch.no_grad()
    def answer(self, view: Tree) -> Tree:
        """What it says of items as they are seen, in float32."""
        with self.autocast():
            answers = [network(view) for network in self.networks]
        return self.answers.together([tree_map(Tensor.float, answer) for answer in answers])
