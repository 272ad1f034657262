"""Compression: a small student learns from a big teacher.

Paper: Hinton et al. 2015 (1503.02531) for ``kd``, Zhao et al. 2022 (2203.08679) for ``dkd``, Romero et al. 2015
(1412.6550) for hints, Mirzadeh et al. 2020 (1902.03393) for a chain of sizes, Beyer et al. 2022 (2106.05237) for one
view that both see, and for long training.
Idea: ``(1 - alpha) CE(z, y) + alpha D(z, z_teacher)``, CE over items with labels, D over those without as well.
Asymmetry: capacity. The teacher is larger, or several, or was trained on more; it is frozen.
Use when: the network must be small or fast, and a larger one can be trained or is there.
Expect: +1.3 points [+0.8, +1.9] over the student alone, and +0.9 [+0.2, +1.6] over one that taught itself on the same
images, for 38 and 6 times the compute (500 labels of 20,000 images of Fashion-MNIST, 10,678 parameters taught by
163,210, nothing tuned).
Watch for: what comes of items without labels and not of the teacher: a student that teaches itself on these,
``teacher_model`` being its own model; what comes of the predicted class alone, ``control=hard`` and
``control=shuffled_in_class``; and what as much compute gives the student alone.
Try: ``sdrun method=compress teacher_model=cnn model.widths=[8,16,32]``
``sdrun -m method=compress,supervised teacher_model=resnet20 model=resnet8 dataset.num_labels=500 seed=0,1,2``
"""

from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import ClassVar

from sdrun import models
from sdrun.choices import TEACHER_MODEL
from sdrun.errors import require
from sdrun.settings import (
    CONTROLS,
    Control,
    ItemCounts,
    MethodSettings,
    ModelSettings,
    Shape,
    Situation,
    require_positive,
    require_range,
    require_view,
)

CHAIN = "method.chain"
UNLABELLED_RATIO = 3


class CompressLoss(Enum):
    """D: of all classes together, or of the label's class and of the others apart."""

    kd = "kd"
    dkd = "dkd"


@dataclass
class DKDSettings:
    """Weights of the two parts (2203.08679), None for 1 and 8: ``alpha`` and ``beta`` there."""

    target: float | None
    others: float | None

    def __post_init__(self) -> None:
        require_range("method.dkd.target", self.target, 0)
        require_range("method.dkd.others", self.others, 0)

    @property
    def weights(self) -> tuple[float, float]:
        return (1.0 if self.target is None else self.target, 8.0 if self.others is None else self.others)


@dataclass
class HintSettings:
    """``student``, ``teacher``: taps, None the deepest."""

    weight: float
    student: str | None
    teacher: str | None

    def __post_init__(self) -> None:
        require_range("method.hints.weight", self.weight, 0)
        for key in ("student", "teacher"):
            has_effect = self.weight > 0 or vars(self)[key] is None
            require(has_effect, f"method.hints.{key}", "has no effect with method.hints.weight=0; set that too")

    def check(self, teacher: Shape, student: Shape) -> None:
        """Raise InputError where features of such networks cannot be compared."""
        for whose, shape in (("teacher", teacher), ("student", student)):
            names, tap = ", ".join(shape.taps), vars(self)[whose]
            has_taps = (
                f"the {whose} has no taps, which are parts of a plain network; sdrun taps shows which models have"
            )
            require(bool(shape.taps), "method.hints.weight", has_taps)
            require(tap is None or tap in shape.taps, f"method.hints.{whose}", f"is {tap!r}, but the taps are {names}")
        kinds = f"the student's taps are {student.taps_are} and the teacher's {teacher.taps_are}; leave it out"
        require(student.taps_are == teacher.taps_are, "method.hints.weight", kinds)


@dataclass
class CompressSettings(MethodSettings):
    """``teacher_from`` and ``teacher_model`` are keys of the root; with neither, the chain's first is the teacher.

    ``unlabelled_ratio``: items without labels in a batch for each one with a label, None for 3 where labels are hidden
    and 0 where none is. ``alone``: whether the student is trained without a teacher as well.
    """

    situation: ClassVar[Situation | None] = Situation.small
    needs: ClassVar[str | None] = "categorical"

    chain: list[str]
    objective: CompressLoss
    alpha: float
    temperature: float
    dkd: DKDSettings
    hints: HintSettings
    view: str
    label_smoothing: float
    unlabelled_ratio: int | None
    alone: bool
    teacher_from: list[str] = field(metadata={"root": True, "runs": True})
    teacher_model: ModelSettings | None = field(default=None, metadata={"root": True})

    def __post_init__(self) -> None:
        require_range("method.alpha", self.alpha, 0, 1)
        require_positive("method.temperature", self.temperature)
        for key, value in vars(self.dkd).items():
            has_effect = value is None or self.objective is CompressLoss.dkd
            require(has_effect, f"method.dkd.{key}", "has no effect without method.objective=dkd; set that too")
        require_view("method.view", self.view)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        require_range("method.unlabelled_ratio", self.unlabelled_ratio, 0)
        is_one = not self.teacher_from or self.teacher_model is None
        require(is_one, TEACHER_MODEL, "and teacher_from each give a teacher; leave one of them out")
        has_one = bool(self.teacher_from or self.teacher_model or self.chain)
        ways = "needs one: give teacher_model=NAME, such as resnet20, or teacher_from=RUN_FOLDER"
        require(has_one, "method", f"{self.name} has no teacher, and {ways}")
        is_single = len(self.teacher_from) < 2 or not self.hints.weight
        require(is_single, "method.hints.weight", "needs one teacher, for several have no features in common")

    @property
    def line(self) -> dict[str, ModelSettings]:
        """What is trained before the student, by the names of the stages."""
        first = [self.teacher_model] if self.teacher_model else []
        every = [*first, *(models.chosen(name, CHAIN) for name in self.chain)]
        names = [f"assistant_{number}" for number in range(1, len(every) + 1)]
        if not self.teacher_from:
            names = ["teacher", *names[:-1]]
        return dict(zip(names, every, strict=True))

    @property
    def guests(self) -> tuple[str, ...]:
        return tuple(self.teacher_from)

    def check_items(self, counts: ItemCounts) -> None:
        has_others = not self.unlabelled_ratio or counts.num_labelled < counts.num
        way = f"needs items without labels, and all {counts.num:,} have one; set dataset.num_labels, or leave this out"
        require(has_others, "method.unlabelled_ratio", way)

    def check_networks(self, guests: dict[str, Shape], own: dict[str, Shape]) -> None:
        for (name, large), (key, small) in pairwise(own.items()):
            more = f"has {small.num_parameters:,} parameters, more than {name} with {large.num_parameters:,}"
            require(small.num_parameters <= large.num_parameters, key, f"{more}; each is to be smaller")
        if self.hints.weight:
            for teacher, student in pairwise([*guests.values(), *own.values()]):
                self.hints.check(teacher, student)

    @property
    def models(self) -> dict[str, ModelSettings]:
        own = {TEACHER_MODEL: self.teacher_model} if self.teacher_model else {}
        return own | {f"{CHAIN}[{n}]": models.chosen(name, CHAIN) for n, name in enumerate(self.chain)}

    def ratio(self, has_hidden: bool) -> int:
        """Items without labels in a batch for each one with a label."""
        if self.unlabelled_ratio is None:
            return UNLABELLED_RATIO if has_hidden else 0
        return self.unlabelled_ratio

    @property
    def controls(self) -> tuple[Control, ...]:
        """Those of features take another sample's, and an untrained network has none of the teacher's shape."""
        return (Control.shuffled, Control.shuffled_in_class) if self.hints.weight else CONTROLS

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)

    @property
    def stages(self) -> tuple[str, ...]:
        return (*self.line, *(["alone"] if self.alone else []), "taught")
