"""Augmentation consistency: what the network says of a clean view teaches it on an augmented one.

Paper: the plain form is the oldest (Bachman et al. 2014, 1412.4864); UDA (1904.12848), FixMatch (2001.07685), FlexMatch
(2110.08263), FreeMatch (2205.07246) and SoftMatch (2301.10921) are the same with other values, each a choice of its
own: ``method=fixmatch``.
Idea: ``CE(z(x), y) + w(t) mean_u m(p_u) D(z(strong u), target(p_u))``, with p_u what the teacher predicts of the
unlabelled item u, a target made of it, soft or its most likely class, and m how much it counts: all, those above a
threshold, or a weight. The mean is over all unlabelled items of a batch, those that do not count being 0.
Asymmetry: a cleaner view, and confidence. The teacher is the student itself, without gradient, or its average.
Use when: labels are few, items without one many, and views are known that leave a class what it is.
Expect: both sides tuned, ``freematch`` made no difference that matters: -0.3 points [-0.8, +0.3] for 1.7 times the
compute, -1.0 [-1.6, -0.3] for as much. Neither tuned, on the same strong views for as many steps: ``freematch`` +2.2
[+1.5, +2.9], ``uda`` and ``fixmatch`` +1.5, the plain form -2.2 (250 labels of Fashion-MNIST).
Watch for: supervised training on the same strong views may gain as much; a mask that is empty or full; one class that
eats the pseudo-labels; the share of pseudo-labels that are right, ``unlabelled/pseudo_label_accuracy``.
Try: ``sdrun method=freematch dataset.num_labels=40``
``sdrun -m method=freematch,supervised method.view=strong dataset.num_labels=40 seed=0,1,2``
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import (
    CONTROLS,
    Control,
    MethodSettings,
    MomentumSchedule,
    Situation,
    TargetKind,
    require_positive,
    require_range,
    require_view,
)


class Whom(Enum):
    """Whose predictions are the targets: those of the student, or of its average."""

    student = "student"
    ema = "ema"


class Distance(Enum):
    ce = "ce"
    kl = "kl"
    mse = "mse"


class Masking(Enum):
    """Which unlabelled samples count.

    ``curriculum`` lowers the threshold of a class of which few samples were ever above it (FlexMatch);
    ``self_adaptive`` follows the mean confidence (FreeMatch); ``soft`` weighs by how far a confidence is below the mean
    (SoftMatch).
    """

    none = "none"
    fixed = "fixed"
    curriculum = "curriculum"
    self_adaptive = "self_adaptive"
    soft = "soft"


@dataclass
class ConsistencySettings(MethodSettings):
    """``view``: how the labelled items are seen. ``temperature`` softens teacher and student, ``sharpening`` divides
    the teacher's once more. ``threshold`` and ``threshold_momentum``: None where the mask has none.
    ``unlabelled_ratio``: items without labels in a batch for each one with a label. ``momentum`` is of the average of
    the student, which is what the run gives.
    """

    situation: ClassVar[Situation | None] = Situation.few_labels
    needs: ClassVar[str | None] = "categorical"
    joins_views: ClassVar[bool] = True

    view: str
    teacher: Whom
    teacher_view: str
    student_view: str
    targets: TargetKind
    divergence: Distance
    temperature: float
    sharpening: float
    mask: Masking
    threshold: float | None
    threshold_momentum: float | None
    fairness: float
    weight: float
    ramp_up: float
    label_smoothing: float
    unlabelled_ratio: int
    momentum: float
    momentum_schedule: MomentumSchedule

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_view("method.teacher_view", self.teacher_view)
        require_view("method.student_view", self.student_view)
        require_positive("method.temperature", self.temperature)
        require_positive("method.sharpening", self.sharpening)
        require_range("method.threshold", self.threshold, 0, 1)
        require_range("method.threshold_momentum", self.threshold_momentum, 0, 1)
        require_range("method.ramp_up", self.ramp_up, 0, 1)
        require_range("method.momentum", self.momentum, 0, 1)
        require_range("method.fairness", self.fairness, 0)
        require_range("method.weight", self.weight, 0)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        require_range("method.unlabelled_ratio", self.unlabelled_ratio, 1)
        self._require_suited_targets()
        self._require_suited_mask()

    def _require_suited_targets(self) -> None:
        is_soft, divergence = self.targets is TargetKind.soft, self.divergence
        suits = is_soft or divergence is Distance.ce
        require(suits, "method.divergence", f"{divergence.value} needs method.targets=soft; set that, or this to ce")
        require(is_soft or self.sharpening == 1, "method.sharpening", "has no effect on hard targets; set it to 1")
        softens = divergence is not Distance.kl and self.temperature != 1
        require(not softens, "method.temperature", "has an effect with method.divergence=kl alone; set it to 1")

    def _require_suited_mask(self) -> None:
        mask = f"method.mask={self.mask.value}"
        of_masks = {
            "threshold": (self.threshold, (Masking.fixed, Masking.curriculum), 0.95),
            "threshold_momentum": (self.threshold_momentum, (Masking.self_adaptive, Masking.soft), 0.99),
        }
        for key, (value, masks, usual) in of_masks.items():
            is_set, is_used = value is not None, self.mask in masks
            require(is_used or not is_set, f"method.{key}", f"has no effect with {mask}; set it to null")
            require(is_set or not is_used, f"method.{key}", f"is needed with {mask}; set it, for instance to {usual}")
        is_fair = self.mask is Masking.self_adaptive or self.fairness == 0
        require(is_fair, "method.fairness", f"needs method.mask=self_adaptive; with {mask} set it to 0")

    @property
    def controls(self) -> tuple[Control, ...]:
        """Hard targets know no more than a class already, and a mask needs a confidence to look at."""
        if self.targets is TargetKind.hard:
            return (Control.shuffled, Control.random)
        of_masks = (Control.shuffled, Control.random, Control.shuffled_in_class)
        return CONTROLS if self.mask is Masking.none else of_masks

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([self.view, self.teacher_view, self.student_view]))
