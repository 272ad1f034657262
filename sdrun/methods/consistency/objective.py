"""Labels where they are known, and what the teacher says of a clean view on an augmented one."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.losses.consistency import probability_mse_each
from sdrun.losses.distillation import kd_each
from sdrun.methods.consistency.losses import fairness
from sdrun.methods.consistency.masks import Following, Mask
from sdrun.methods.consistency.settings import ConsistencySettings, Distance, Whom
from sdrun.methods.consistency.watch import MaskWatch
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.ranks import OverRanks
from sdrun.schedules import ema_momentum, ramped
from sdrun.settings import TargetKind
from sdrun.streams.batch import Batch
from sdrun.teachers.ema import EMA
from sdrun.trees import Tree


class Consistency(Objective):
    """``CE + w(t) mean(m D)`` over labelled and unlabelled items, for ``num_steps`` steps; see the settings.

    ``mean``: of a tensor over ranks. The logits of a step are those of the labelled
    items, of the teacher's view where the student is the teacher, and of the student's view, from one forward pass.
    """

    def __init__(
        self,
        student: nn.Module,
        answers: Answers,
        mask: Mask,
        settings: ConsistencySettings,
        num_classes: int,
        num_steps: int,
        mean: OverRanks,
    ) -> None:
        super().__init__()
        self.student, self.answers = student, answers
        self.average = EMA(student)
        self.teachers = []
        self.mask = mask
        self.mask_watch = MaskWatch(num_classes, settings.mask)
        self.settings, self.num_steps, self.mean = settings, num_steps, mean

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"": self.average.network, "student": self.student}

    @property
    def teaching(self) -> str:
        """The word of the network that gives the targets."""
        return "student" if self.settings.teacher is Whom.student else ""

    def forward(self, batch: Batch) -> StepOutput:
        s, unlabelled, num = self.settings, batch.beside["unlabelled"], len(batch)
        logits = self.student(self._seen(batch)).float()
        if unlabelled.targets is not None:
            taught = unlabelled.targets
        elif s.teacher is Whom.student:
            taught = logits[num : num + len(unlabelled)].detach()
        else:
            taught = self.targets(batch)["unlabelled"]
        student = logits[-len(unlabelled) :]
        probabilities = taught.softmax(dim=1)
        weight = self.mask(probabilities)
        self.mask.see(probabilities, unlabelled.index)
        rise = ramped(s.weight, s.ramp_up, batch.step, self.num_steps)
        terms = {
            "ce": self.answers.truth(logits[:num], batch.known, s.label_smoothing),
            "consistency": rise * (weight * self._divergence(student, taught)).mean(),
        }
        if s.fairness:
            assert isinstance(self.mask, Following)
            running = self.mask.classes, self.mask.histogram
            terms["fairness"] = s.fairness * fairness(student, weight, *running, self.mean)
        return StepOutput(terms, logits, taught, self._metrics(probabilities, weight, student))

    @torch.no_grad()
    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        clean = batch.beside["unlabelled"].views[self.settings.teacher_view][0]
        if network or self.settings.teacher is Whom.ema:
            return {"unlabelled": (network or self.average)(clean).float()}
        return {"unlabelled": self.student(self._seen(batch)).float()[len(batch) : len(batch) + len(clean)]}

    def after_step(self, step: int) -> None:
        s = self.settings
        self.average.follow(self.student, ema_momentum(s.momentum_schedule, s.momentum, step, self.num_steps))
        self.mask.follow()

    def watch(self, step: int, values: dict[str, float]) -> None:
        self.mask_watch(step, values)

    def _seen(self, batch: Batch) -> Tensor:
        """What goes through the student in one pass: labelled items, clean views where it is the teacher, augmented."""
        s, views = self.settings, batch.beside["unlabelled"].views
        clean = [views[s.teacher_view][0]] if s.teacher is Whom.student else []
        return torch.cat([batch.views[s.view][0], *clean, views[s.student_view][-1]])

    def _divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Of each sample, [U], from the logits of both [U, K]."""
        s = self.settings
        if s.targets is TargetKind.hard:
            return F.cross_entropy(student, teacher.argmax(dim=1), reduction="none")
        sharpened = teacher / s.sharpening
        if s.divergence is Distance.kl:
            return kd_each(student, sharpened, s.temperature)
        if s.divergence is Distance.mse:
            return probability_mse_each(student, sharpened)
        return F.cross_entropy(student, sharpened.softmax(dim=1), reduction="none")

    def _metrics(self, probabilities: Tensor, weight: Tensor, student: Tensor) -> dict[str, Tensor]:
        label = probabilities.argmax(dim=1)
        counted = torch.zeros_like(probabilities[0]).scatter_add_(0, label, weight)
        thresholds = self.mask.thresholds(probabilities)
        return {
            "mask": weight.mean(),
            "largest_class": counted.max() / weight.sum().clamp_min(1e-12),
            "threshold": thresholds.mean(),
            "lowest_threshold": thresholds.min(),
            "agreement": (student.argmax(dim=1) == label).float().mean(),
        }
