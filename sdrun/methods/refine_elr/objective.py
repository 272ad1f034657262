"""Labels, and agreement with what was said of an item before."""

import torch
from torch import nn

from sdrun.answers.answers import Answers
from sdrun.methods.refine_elr.settings import RefineELRSettings
from sdrun.objectives.objective import StepOutput
from sdrun.objectives.remembering import Remembering
from sdrun.ranks import OverRanks
from sdrun.streams.batch import Batch
from sdrun.trees import Tree

LEAST = 1e-4
"""Probability to which predictions are held away from 0 and 1, as the authors' code has it."""


class EarlyLearning(Remembering):
    """``CE(p, y) + weight mean log(1 - p t)``, with t an average of what was said of each item, this step's included.

    ``memory`` [N, K]: that average before the step, at first 0; ``gather``: the rows of a tensor of all ranks.
    """

    def __init__(
        self,
        student: nn.Module,
        answers: Answers,
        settings: RefineELRSettings,
        num_items: int,
        num_classes: int,
        gather: OverRanks,
    ) -> None:
        super().__init__(torch.zeros(num_items, num_classes), 1 - settings.momentum, gather)
        self.student, self.answers = student, answers
        self.teachers = []
        self.settings = settings

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        if network:
            return {"": network(batch.views[self.settings.view][0]).float()}
        return {"": self.memory[batch.index].clamp_min(LEAST).log()}

    def forward(self, batch: Batch) -> StepOutput:
        s = self.settings
        logits = self.student(batch.views[s.view][0]).float()
        said = logits.softmax(dim=1).clamp(LEAST, 1 - LEAST)
        now = said.detach() / said.detach().sum(dim=1, keepdim=True)
        self.note(batch.index, now)
        if batch.targets is None:
            targets = s.momentum * self.memory[batch.index] + (1 - s.momentum) * now
        else:
            targets = batch.targets.softmax(dim=1)
        terms = {
            "ce": self.answers.truth(logits, batch.known, s.label_smoothing),
            "early": s.weight * (1 - (said * targets).sum(dim=1)).log().mean(),
        }
        metrics = {"agreement": (logits.argmax(dim=1) == targets.argmax(dim=1)).float().mean()}
        return StepOutput(terms, logits, targets, metrics)
