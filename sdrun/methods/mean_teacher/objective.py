"""Labels where they are known, agreement with the student's own average everywhere."""

import torch
from torch import nn

from sdrun.answers.answers import Answers
from sdrun.losses.consistency import probability_mse
from sdrun.losses.distillation import kd
from sdrun.methods.mean_teacher.settings import Distance, MeanTeacherSettings
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.schedules import ema_momentum, ramped
from sdrun.streams.batch import Batch
from sdrun.teachers.ema import EMA


class MeanTeacher(Objective):
    """``CE + w(t) D`` over two views of labelled and unlabelled items, for ``num_steps`` steps; see the settings."""

    def __init__(self, student: nn.Module, answers: Answers, settings: MeanTeacherSettings, num_steps: int) -> None:
        super().__init__()
        self.student, self.answers = student, answers
        self.teacher = EMA(student)
        self.teachers = []
        self.settings = settings
        self.num_steps = num_steps

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"": self.teacher.network, "student": self.student}

    def forward(self, batch: Batch) -> StepOutput:
        s, role, num_labelled = self.settings, self.settings.view, len(batch)
        pairs = zip(batch.views[role], batch.beside["unlabelled"].views[role], strict=True)
        seen_by_student, seen_by_teacher = (torch.cat(pair) for pair in pairs)
        targets = self.teacher(seen_by_teacher).float()
        logits = self.student(seen_by_student).float()
        terms = {
            "ce": self.answers.truth(logits[:num_labelled], batch.known),
            "consistency": ramped(s.weight, s.ramp_up, batch.step, self.num_steps) * self._divergence(logits, targets),
        }
        metrics = {
            "agreement": (logits.argmax(dim=1) == targets.argmax(dim=1)).float().mean(),
            "teacher_ce": self.answers.truth(targets[:num_labelled], batch.known),
        }
        return StepOutput(terms, logits, targets, metrics)

    def after_step(self, step: int) -> None:
        s = self.settings
        self.teacher.follow(self.student, ema_momentum(s.momentum_schedule, s.momentum, step, self.num_steps))

    def _divergence(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.settings.consistency is Distance.mse:
            return probability_mse(logits, targets)
        return kd(logits, targets, temperature=1.0)
