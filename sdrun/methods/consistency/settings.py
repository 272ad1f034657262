"""Augmentation consistency: what the network says of a clean view teaches it on an augmented one.

Paper: the plain form is the oldest (Bachman et al. 2014, 1412.4864); UDA (1904.12848), FixMatch (2001.07685), FlexMatch
(2110.08263), FreeMatch (2205.07246) and SoftMatch (2301.10921) are presets, each also a choice of its own:
``method=fixmatch``.
Idea: ``CE(z(x), y) + w(t) mean_u m(p_u) D(z(strong u), target(p_u))``, with p_u what the teacher predicts of the
unlabelled image u, a target made of it, soft or its most likely class, and m how much it counts: all, those above a
threshold, or a weight. The mean is over all unlabelled images of a batch, those that do not count being 0.
Asymmetry: a cleaner view, and confidence. The teacher is the student itself, without gradient, or its average.
Watch for: supervised training on the same strong views may gain as much; a mask that is empty or full; one class that
eats the pseudo-labels; the share of pseudo-labels that are right, ``unlabelled/pseudo_label_accuracy``.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from sdrun.errors import require
from sdrun.settings import (
    AUTO,
    MomentumSchedule,
    require_positive,
    require_range,
    require_range_or_auto,
    require_view,
)


class Preset(Enum):
    plain = "plain"
    uda = "uda"
    fixmatch = "fixmatch"
    flexmatch = "flexmatch"
    freematch = "freematch"
    softmatch = "softmatch"


class Teacher(Enum):
    student = "student"
    ema = "ema"


class Targets(Enum):
    auto = "auto"
    hard = "hard"
    soft = "soft"


class Divergence(Enum):
    auto = "auto"
    ce = "ce"
    kl = "kl"
    mse = "mse"


class Masking(Enum):
    """Which unlabelled samples count.

    ``curriculum`` lowers the threshold of a class of which few samples were ever above it (FlexMatch);
    ``self_adaptive`` follows the mean confidence (FreeMatch); ``soft`` weighs by how far a confidence is below the mean
    (SoftMatch).
    """

    auto = "auto"
    none = "none"
    fixed = "fixed"
    curriculum = "curriculum"
    self_adaptive = "self_adaptive"
    soft = "soft"


_HARD = {
    "view": "weak",
    "teacher_view": "weak",
    "targets": "hard",
    "divergence": "ce",
    "temperature": 1.0,
    "sharpening": 1.0,
    "mask": "fixed",
    "threshold": 0.95,
    "threshold_momentum": 0.99,
    "fairness": 0.0,
}
_SOFT = {"targets": "soft", "divergence": "kl"}

PRESETS: dict[Preset, dict[str, Any]] = {
    Preset.plain: {
        **_HARD,
        **_SOFT,
        "view": "strong",
        "teacher_view": "clean",
        "temperature": 4.0,
        "mask": "none",
    },
    Preset.uda: {**_HARD, **_SOFT, "sharpening": 0.4, "threshold": 0.8},
    Preset.fixmatch: _HARD,
    Preset.flexmatch: {**_HARD, "mask": "curriculum"},
    Preset.freematch: {**_HARD, "mask": "self_adaptive", "fairness": 0.01},
    Preset.softmatch: {**_HARD, "mask": "soft"},
}


@dataclass
class Settings:
    """Every ``auto`` is the preset's; ``resolve`` says what it becomes.

    ``view``: how the labelled images are seen. ``temperature`` softens teacher and student, ``sharpening`` divides
    the teacher's once more. ``unlabelled_ratio``: images without labels in a batch for each one with a label.
    ``momentum`` is of the average of the student, which is what the run gives.
    """

    name: str
    preset: Preset
    view: str
    teacher: Teacher
    teacher_view: str
    student_view: str
    targets: Targets
    divergence: Divergence
    temperature: int | float | str
    sharpening: int | float | str
    mask: Masking
    threshold: int | float | str
    threshold_momentum: int | float | str
    fairness: int | float | str
    weight: float
    ramp_up: float
    unlabelled_ratio: int
    momentum: float
    momentum_schedule: MomentumSchedule
    joins_views: ClassVar[bool] = True
    """All views of a batch go through the network together, so that they need one size."""

    def __post_init__(self) -> None:
        values = self.resolve()
        for key in ("view", "teacher_view", "student_view"):
            require_view(f"method.{key}", values.get(key, self.student_view))
        for key in ("temperature", "sharpening"):
            require_range_or_auto(f"method.{key}", getattr(self, key), 0)
            require_positive(f"method.{key}", values[key])
        require_range_or_auto("method.threshold", self.threshold, 0, 1)
        require_range_or_auto("method.fairness", self.fairness, 0)
        require_range("method.unlabelled_ratio", self.unlabelled_ratio, 1)
        require_range_or_auto("method.threshold_momentum", self.threshold_momentum, 0, 1)
        require_range("method.weight", self.weight, 0)
        require_range("method.ramp_up", self.ramp_up, 0, 1)
        require_range("method.momentum", self.momentum, 0, 1)
        is_soft, divergence = values["targets"] == "soft", values["divergence"]
        require(is_soft or divergence == "ce", "method.divergence", f"{divergence} needs method.targets=soft")
        sharpens, softens = values["sharpening"] != 1, values["temperature"] != 1
        require(is_soft or not sharpens, "method.sharpening", "has no effect on hard targets; leave it out")
        require(
            divergence == "kl" or not softens, "method.temperature", "has an effect with method.divergence=kl alone"
        )
        users = {"threshold": ("fixed", "curriculum"), "threshold_momentum": ("self_adaptive", "soft")}
        for key, used_by in users.items():  # resolved settings hold the preset's value, whether it matters or not
            is_fine = values["mask"] in used_by or values[key] == self._preset[key]
            require(is_fine, f"method.{key}", f"has no effect with method.mask={values['mask']}; leave it out")
        is_fair = values["mask"] == "self_adaptive" or values["fairness"] == 0
        require(is_fair, "method.fairness", f"needs method.mask=self_adaptive, but that is {values['mask']}")

    def resolve(self, num_images: int = 0) -> dict[str, Any]:
        """What every ``auto`` becomes, whatever the number of images."""
        given = {key: getattr(self, key) for key in self._preset}
        given = {key: value.value if isinstance(value, Enum) else value for key, value in given.items()}
        given = {key: value for key, value in given.items() if value != AUTO}
        values = {**self._preset, **given}
        is_hard = values["targets"] == "hard"
        suited = {
            "divergence": "ce" if is_hard else values["divergence"],
            "sharpening": 1.0 if is_hard else values["sharpening"],
            "fairness": values["fairness"] if values["mask"] == "self_adaptive" else 0.0,
        }
        values |= {key: value for key, value in suited.items() if key not in given}
        if "temperature" not in given and values["divergence"] != "kl":
            values["temperature"] = 1.0
        return values

    @property
    def _preset(self) -> dict[str, Any]:
        return PRESETS[self.preset]

    @property
    def roles(self) -> tuple[str, ...]:
        """The views that this method asks for."""
        values = self.resolve()
        return tuple(dict.fromkeys([values["view"], values["teacher_view"], self.student_view]))
