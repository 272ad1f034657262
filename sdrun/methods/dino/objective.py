"""The student's crops against the teacher's global ones."""

import torch
from torch import Tensor, nn

from sdrun.methods.dino.collapse import CollapseWatch
from sdrun.methods.dino.losses import centred, koleo, multi_crop, sinkhorn
from sdrun.methods.dino.settings import Centring, DINOSettings, Sizes
from sdrun.models.backbone import Network
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.ranks import OverRanks
from sdrun.schedules import ema_momentum, linear
from sdrun.streams.batch import Batch
from sdrun.teachers.ema import EMA
from sdrun.trees import Tree


class DINO(Objective):
    """``multi_crop`` of a student with a head of prototypes, plus KoLeo on its features of the first global crop.

    ``mean``: of a tensor over ranks. Trains ``num_steps`` steps, of which the first
    ``num_frozen`` leave the prototypes as they are.
    """

    centre: Tensor

    def __init__(
        self,
        student: Network,
        settings: DINOSettings,
        sizes: Sizes,
        num_steps: int,
        num_frozen: int,
        mean: OverRanks,
    ) -> None:
        super().__init__()
        self.student: Network = student
        self.teacher = EMA(student)
        self.teachers = []
        self.settings, self.sizes, self.mean = settings, sizes, mean
        self.num_steps, self.num_frozen = num_steps, num_frozen
        self.register_buffer("centre", torch.zeros_like(student.head.prototypes.weight[:, 0]))
        self._teacher_means: list[Tensor] = []
        self.collapse = CollapseWatch(len(self.centre), settings.on_collapse)

    @property
    def networks(self) -> dict[str, nn.Module]:
        teacher: Network = self.teacher.network
        return {"": teacher.backbone, "student": self.student.backbone}

    def forward(self, batch: Batch) -> StepOutput:
        views, size = batch.views, len(batch)
        whole = torch.cat(views["global"])
        own = self.targets(batch)[""] if batch.targets is None else batch.targets
        targets = own.transpose(0, 1)

        features = [self.student.backbone(whole).final]
        if "local" in views:
            features.append(self.student.backbone(torch.cat(views["local"])).final)
        everything = torch.cat(features)
        scaled = self.student.head(everything).float() / self.settings.student_temperature
        terms = {"dino": multi_crop(targets, scaled.log_softmax(dim=1).unflatten(0, (-1, size)))}
        if self.settings.koleo:
            terms["koleo"] = self.settings.koleo * koleo(everything[:size])
        return StepOutput(terms, everything, targets, self._entropies(targets.flatten(0, 1)))

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        """Assignments of the global crops, [B, G, K]."""
        logits = (network or self.teacher)(torch.cat(batch.views["global"])).float()
        if self.settings.centring is Centring.centre:
            self._teacher_means.append(logits.mean(dim=0))
        return {"": self._assigned(logits, batch.step).unflatten(0, (-1, len(batch))).transpose(0, 1)}

    def before_step(self, step: int) -> None:
        if step <= self.num_frozen:
            self.student.head.prototypes.weight.grad = None

    def after_step(self, step: int) -> None:
        s = self.settings
        self.teacher.follow(self.student, ema_momentum(s.momentum_schedule, self.sizes.momentum, step, self.num_steps))
        if s.centring is Centring.centre:
            batch_mean = self.mean(torch.stack(self._teacher_means).mean(dim=0))
            self.centre.lerp_(batch_mean, 1 - s.centre_momentum)
            self._teacher_means = []

    def watch(self, step: int, values: dict[str, float]) -> None:
        self.collapse(step, values)

    def _assigned(self, logits: Tensor, step: int) -> Tensor:
        s = self.settings
        rise = s.teacher_temperature_rise * self.num_steps
        share = step / rise if rise else 1.0
        temperature = linear(self.sizes.teacher_temperature_start, self.sizes.teacher_temperature, share)
        if s.centring is Centring.sinkhorn:
            return sinkhorn(logits, temperature, self.mean)
        return centred(logits, self.centre, temperature)

    def _entropies(self, targets: Tensor) -> dict[str, Tensor]:
        """Mean entropy of the targets [N, K], and the entropy of their mean, in nats."""
        mean = targets.mean(dim=0)
        return {
            "teacher_entropy": torch.special.entr(targets).sum(dim=1).mean(),
            "prototype_entropy": torch.special.entr(mean).sum(),
        }
