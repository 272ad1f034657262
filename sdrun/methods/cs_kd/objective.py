"""Labels, and the prediction of another item of the class."""

import torch
from torch import nn

from sdrun.answers.answers import Answers
from sdrun.losses.distillation import kd
from sdrun.methods.cs_kd.settings import CSKDSettings
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch
from sdrun.trees import Tree


class ClassWise(Objective):
    """``CE + weight kd`` on batches whose views are the item and its partner, in this order."""

    def __init__(self, student: nn.Module, answers: Answers, settings: CSKDSettings) -> None:
        super().__init__()
        self.student, self.answers = student, answers
        self.teachers = []
        self.settings = settings

    @torch.no_grad()
    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        _, partner = batch.views[self.settings.view]
        return {"": (network or self.student)(partner).float()}

    def forward(self, batch: Batch) -> StepOutput:
        s = self.settings
        own, _ = batch.views[s.view]
        logits = self.student(own).float()
        own_targets = self.targets(batch)[""]  # under a control too, for this pass counts in BatchNorm's statistics
        targets = own_targets if batch.targets is None else batch.targets
        terms = {
            "ce": self.answers.truth(logits, batch.known),
            "distillation": s.weight * kd(logits, targets, s.temperature),
        }
        metrics = {
            "agreement": (logits.argmax(dim=1) == targets.argmax(dim=1)).float().mean(),
            "teacher_ce": self.answers.truth(targets, batch.known),
        }
        return StepOutput(terms, logits, targets, metrics)
