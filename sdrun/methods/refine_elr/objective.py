"""Labels, and agreement with what was said of an item before."""

import torch
from torch import Tensor, nn

from sdrun.answers.answers import Answers
from sdrun.methods.refine_elr.settings import RefineELRSettings
from sdrun.objectives.memory import remember
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.ranks import OverRanks
from sdrun.streams.batch import Batch
from sdrun.trees import Tree

LEAST = 1e-4
"""Probability to which predictions are held away from 0 and 1, as the authors' code has it."""


class EarlyLearning(Objective):
    """``CE(p, y) + weight mean log(1 - p t)``, with t an average of what was said of each item, this step's included.

    ``memory`` [N, K]: that average before the step, at first 0; ``gather``: the rows of a tensor of all ranks.
    """

    memory: Tensor

    def __init__(
        self,
        student: nn.Module,
        answers: Answers,
        settings: RefineELRSettings,
        num_items: int,
        num_classes: int,
        gather: OverRanks,
    ) -> None:
        super().__init__()
        self.student, self.answers = student, answers
        self.teachers = []
        self.settings, self.gather = settings, gather
        self.register_buffer("memory", torch.zeros(num_items, num_classes))
        self._seen: list[tuple[Tensor, Tensor]] = []

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        if network:
            return {"": network(batch.views[self.settings.view][0]).float()}
        return {"": self.memory[batch.index].clamp_min(LEAST).log()}

    def forward(self, batch: Batch) -> StepOutput:
        s = self.settings
        logits = self.student(batch.views[s.view][0]).float()
        said = logits.softmax(dim=1).clamp(LEAST, 1 - LEAST)
        now = said.detach() / said.detach().sum(dim=1, keepdim=True)
        self._seen.append((batch.index, now))
        if batch.targets is None:
            targets = s.momentum * self.memory[batch.index] + (1 - s.momentum) * now
        else:
            targets = batch.targets.softmax(dim=1)
        terms = {
            "ce": self.answers.truth(logits, batch.known),
            "early": s.weight * (1 - (said * targets).sum(dim=1)).log().mean(),
        }
        metrics = {"agreement": (logits.argmax(dim=1) == targets.argmax(dim=1)).float().mean()}
        return StepOutput(terms, logits, targets, metrics)

    def after_step(self, step: int) -> None:
        index, said = (self.gather(torch.cat(parts)) for parts in zip(*self._seen, strict=True))
        self._seen = []
        remember(self.memory, index, said, 1 - self.settings.momentum)
