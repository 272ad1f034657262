"""Labels mixed with the student's own earlier predictions."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.methods.ps_kd.settings import PSKDSettings
from sdrun.objectives.objective import StepOutput
from sdrun.objectives.remembering import Remembering
from sdrun.ranks import OverRanks
from sdrun.schedules import linear
from sdrun.streams.batch import Batch
from sdrun.trees import Tree

LEAST = 1e-30
"""Probability whose log is still a number."""


class Progressive(Remembering):
    """``(1 - a) CE(z, y) + a CE(z, p)`` for ``num_steps`` steps, with p from ``memory`` and a rising to alpha.

    ``labels``: those of the training items [N], -1 where there is none, or their shares of the classes [N, K].
    ``gather``: the rows of a tensor of all ranks.
    ``memory`` [N, K]: the probabilities that each item was last given, at first its label.
    """

    def __init__(
        self,
        student: nn.Module,
        answers: Answers,
        settings: PSKDSettings,
        labels: Tensor,
        num_classes: int,
        num_steps: int,
        gather: OverRanks,
    ) -> None:
        shares = labels if labels.ndim == 2 else F.one_hot(labels.clamp_min(0), num_classes)
        super().__init__(shares.float(), 1.0, gather)
        self.student, self.answers = student, answers
        self.teachers = []
        self.settings, self.num_steps = settings, num_steps

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        if network:
            return {"": network(batch.views[self.settings.view][0]).float()}
        return {"": self.memory[batch.index].clamp_min(LEAST).log()}

    def forward(self, batch: Batch) -> StepOutput:
        targets = self.memory[batch.index] if batch.targets is None else batch.targets.softmax(dim=1)
        logits = self.student(batch.views[self.settings.view][0]).float()
        self.note(batch.index, logits.detach().softmax(dim=1))
        alpha = linear(0.0, self.settings.alpha, batch.step / self.num_steps)
        terms = {
            "ce": (1 - alpha) * self.answers.truth(logits, batch.known),
            "distillation": alpha * F.cross_entropy(logits, targets),
        }
        metrics = {
            "agreement": (logits.argmax(dim=1) == targets.argmax(dim=1)).float().mean(),
            "teacher_entropy": torch.special.entr(targets).sum(dim=1).mean(),
        }
        return StepOutput(terms, logits, targets, metrics)
