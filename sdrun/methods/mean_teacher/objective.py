"""Labels where they are known, agreement with the student's own average everywhere."""

import torch
from torch import Tensor, nn

from sdrun.answers.answers import Answers
from sdrun.losses.consistency import probability_mse
from sdrun.losses.distillation import kd
from sdrun.methods.mean_teacher.settings import Distance, MeanTeacherSettings
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.schedules import ema_momentum, ramped
from sdrun.streams.batch import Batch
from sdrun.teachers.ema import EMA
from sdrun.trees import Tree


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

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        _, seen = self._views(batch)
        labelled, unlabelled = (network or self.teacher)(seen).float().tensor_split([len(batch)])
        return {"": labelled, "unlabelled": unlabelled}

    def forward(self, batch: Batch) -> StepOutput:
        s, num_labelled = self.settings, len(batch)
        seen, _ = self._views(batch)
        is_controlled = batch.targets is not None
        by_batch = (
            (batch.targets, batch.beside["unlabelled"].targets) if is_controlled else self.targets(batch).values()
        )
        targets = torch.cat(list(by_batch))
        logits = self.student(seen).float()
        terms = {
            "ce": self.answers.truth(logits[:num_labelled], batch.known, s.label_smoothing),
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

    def _views(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What the student sees, and what the teacher: labelled items, and then unlabelled ones."""
        role = self.settings.view
        student, teacher = zip(batch.views[role], batch.beside["unlabelled"].views[role], strict=True)
        return torch.cat(student), torch.cat(teacher)

    def _divergence(self, logits: Tensor, targets: Tensor) -> Tensor:
        if self.settings.consistency is Distance.mse:
            return probability_mse(logits, targets)
        return kd(logits, targets, temperature=1.0)
