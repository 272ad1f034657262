"""Labels for two draws of a view, and how far the two answers are apart."""

import torch
from torch import nn

from sdrun.answers.answers import Answers
from sdrun.methods.r_drop.settings import RDropSettings
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch


class RDrop(Objective):
    """``CE + weight J``, J half the symmetric KL divergence of both answers."""

    def __init__(self, student: nn.Module, answers: Answers, settings: RDropSettings) -> None:
        super().__init__()
        self.student, self.answers = student, answers
        self.teachers = []
        self.settings = settings

    def forward(self, batch: Batch) -> StepOutput:
        logits = self.student(torch.cat(batch.views[self.settings.view])).float()
        one, other = logits.log_softmax(dim=1).chunk(2)
        apart = ((one.exp() - other.exp()) * (one - other)).sum(dim=1).mean() / 2
        terms = {
            "ce": self.answers.truth(logits, {"label": torch.cat([batch.known["label"]] * 2)}),
            "consistency": self.settings.weight * apart,
        }
        agreement = (one.argmax(dim=1) == other.argmax(dim=1)).float().mean()
        return StepOutput(terms, logits, metrics={"agreement": agreement})
