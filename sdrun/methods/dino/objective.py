"""The student's crops against the teacher's global ones."""

import logging
import math

import torch
from torch import Tensor, nn

from sdrun.errors import RunError
from sdrun.losses.dino import Mean, centred, koleo, multi_crop, sinkhorn
from sdrun.methods.dino.settings import Centring, OnCollapse, Settings
from sdrun.models.backbone import Network
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.schedules import ema_momentum, linear
from sdrun.streams.batch import Batch
from sdrun.teachers.ema import EMA

log = logging.getLogger(__name__)

PATIENCE = 3
NEAR = 1e-3
LEAST_RANK = 1.5


class DINO(Objective):
    """``multi_crop`` of a student with a head of prototypes, plus KoLeo on its features of the first global crop.

    ``mean``: of a tensor over ranks. ``settings`` without ``auto``. Trains ``num_steps`` steps, of which the first
    ``num_frozen`` leave the prototypes as they are.
    """

    centre: Tensor

    def __init__(self, student: Network, settings: Settings, num_steps: int, num_frozen: int, mean: Mean) -> None:
        super().__init__()
        self.student: Network = student
        self.teacher = EMA(student)
        self.teachers = []
        self.settings, self.num_steps, self.num_frozen, self.mean = settings, num_steps, num_frozen, mean
        self.momentum = float(settings.momentum)
        self.temperatures = float(settings.teacher_temperature_start), float(settings.teacher_temperature)
        self.register_buffer("centre", torch.zeros_like(student.head.prototypes.weight[:, 0]))
        self._teacher_means: list[Tensor] = []
        self._signs: dict[str, int] = {}

    @property
    def networks(self) -> dict[str, nn.Module]:
        teacher: Network = self.teacher.network
        return {"": teacher.backbone, "student": self.student.backbone}

    def forward(self, batch: Batch) -> StepOutput:
        views, size = batch.views, len(batch)
        whole = torch.cat(views["global"])
        logits = self.teacher(whole).float()
        targets = self._targets(logits, batch.step).unflatten(0, (-1, size))
        self._teacher_means.append(logits.mean(dim=0))

        features = [self.student.backbone(whole).final]
        if "local" in views:
            features.append(self.student.backbone(torch.cat(views["local"])).final)
        everything = torch.cat(features)
        scaled = self.student.head(everything).float() / self.settings.student_temperature
        terms = {"dino": multi_crop(targets, scaled.log_softmax(dim=1).unflatten(0, (-1, size)))}
        if self.settings.koleo:
            terms["koleo"] = self.settings.koleo * koleo(everything[:size])
        return StepOutput(terms, everything, self._entropies(targets.flatten(0, 1)))

    def before_step(self, step: int) -> None:
        if step <= self.num_frozen:
            self.student.head.prototypes.weight.grad = None

    def after_step(self, step: int) -> None:
        s = self.settings
        self.teacher.follow(self.student, ema_momentum(s.momentum_schedule, self.momentum, step, self.num_steps))
        batch_mean = self.mean(torch.stack(self._teacher_means).mean(dim=0))
        self.centre.lerp_(batch_mean, 1 - s.centre_momentum)
        self._teacher_means = []

    def watch(self, step: int, values: dict[str, float]) -> None:
        """Warn of a collapse that holds for some logged points, once; or raise RunError if ``on_collapse`` is stop."""
        for sign, remedy in self._collapses(values).items():
            self._signs[sign] = self._signs.get(sign, 0) + 1 if remedy else 0
            if remedy and self._signs[sign] == PATIENCE:
                message = f"collapse at step {step}: {sign}; {remedy}"
                if self.settings.on_collapse is OnCollapse.stop:
                    raise RunError(message)
                log.warning("%s", message)

    def _targets(self, logits: Tensor, step: int) -> Tensor:
        s = self.settings
        rise = s.teacher_temperature_rise * self.num_steps
        share = step / rise if rise else 1.0
        temperature = linear(*self.temperatures, share)
        if s.centring is Centring.sinkhorn:
            return sinkhorn(logits, temperature, self.mean)
        return centred(logits, self.centre, temperature)

    def _collapses(self, values: dict[str, float]) -> dict[str, str]:
        """What to do about each sign of a collapse, by its name; nothing where it is not seen."""
        sharpen = "lower method.teacher_temperature, or set method.out_dim lower"
        spread = "raise method.teacher_temperature, set method.koleo=0.1, or lower optim.lr"
        largest = math.log(len(self.centre))
        found: dict[str, str] = {}
        if "train/loss_dino" in values or "train/loss" in values:
            loss = values.get("train/loss_dino", values.get("train/loss", 0.0))
            entropy = values["train/teacher_entropy"]
            found["the loss sits at ln K"] = sharpen if abs(loss - largest) < NEAR else ""
            found["the teacher's entropy is ln K"] = sharpen if largest - entropy < NEAR * largest else ""
            found["the teacher's entropy is 0"] = spread if entropy < NEAR * largest else ""
        if "val/rankme" in values:
            found["the rank of the features is 1"] = spread if values["val/rankme"] < LEAST_RANK else ""
        return found

    def _entropies(self, targets: Tensor) -> dict[str, Tensor]:
        """Mean entropy of the targets [N, K], and the entropy of their mean, in nats."""
        mean = targets.mean(dim=0)
        return {
            "teacher_entropy": torch.special.entr(targets).sum(dim=1).mean(),
            "prototype_entropy": torch.special.entr(mean).sum(),
        }
