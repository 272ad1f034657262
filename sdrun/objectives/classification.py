"""Labels, alone or with a teacher."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch


class CrossEntropy(Objective):
    """Cross-entropy with the labels of one view."""

    def __init__(self, student: nn.Module, role: str = "weak", label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.student = student
        self.role = role
        self.label_smoothing = label_smoothing
        self.teachers = []

    def forward(self, batch: Batch) -> StepOutput:
        logits = self.student(batch.views[self.role][0]).float()
        loss = F.cross_entropy(logits, batch.label, label_smoothing=self.label_smoothing)
        return StepOutput({"ce": loss}, logits)


class Teacher(Protocol):
    """Targets [B, K] for a batch, without gradients, and where they come from (see ``Objective.teachers``)."""

    lineage: list[dict[str, str]]

    def __call__(self, batch: Batch) -> Tensor: ...


Divergence = Callable[[Tensor, Tensor, Batch], Tensor]


class Distilled(Objective):
    """``(1 - alpha) CE(z, y) + alpha D(z, z_teacher)`` on one view that student and teacher share.

    ``teacher`` gives logits [B, K] for a batch; ``divergence`` is D, a function of student logits, teacher logits and
    batch. Also logs how often the two agree, and the teacher's own cross-entropy with the labels.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: Teacher,
        divergence: Divergence,
        alpha: float,
        role: str = "weak",
    ) -> None:
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.teachers = teacher.lineage
        self.divergence = divergence
        self.alpha = alpha
        self.role = role

    def forward(self, batch: Batch) -> StepOutput:
        targets = self.teacher(batch)
        logits = self.student(batch.views[self.role][0]).float()
        terms = {
            "ce": (1 - self.alpha) * F.cross_entropy(logits, batch.label),
            "distillation": self.alpha * self.divergence(logits, targets, batch),
        }
        metrics = {
            "agreement": (logits.argmax(dim=1) == targets.argmax(dim=1)).float().mean(),
            "teacher_ce": F.cross_entropy(targets, batch.label),
        }
        return StepOutput(terms, logits, metrics)
