"""Quantisation: a network at few bits learns what it said at full precision.

Paper: LLM-QAT (2305.17888) and 2403.11106 for the teacher, a survey of ranges in 2106.08295; straight-through
gradients are those of Bengio et al. 2013 (1308.3432).
Idea: weights are rounded to a few values a channel in the forward pass, the gradient passes as if they were not;
``KL(teacher || student)`` at temperature 1 on items whose labels nobody needs.
Asymmetry: precision. The teacher is the same network before it was rounded.
Use when: a trained network must take less memory.
Expect: at 2 bits rounding alone left 18 % of 84 %, and 300 steps gave all of it back: 83.8 for 83.7 at full precision,
in a twelfth of the bytes. So did as many steps on the labels: with both tuned, the teacher's answers differ from them
by less than half a point, +0.2 [-0.1, +0.5] (1,000 labels of Fashion-MNIST).
Watch for: 8 bits need no training, and 4 hardly; rounding with a tuned range, and training by the labels for as many
steps, are in each run beside it. Sizes are computed and times are not told: nothing here runs faster.
Try: ``sdrun method=quantise teacher_from=RUN_FOLDER method.bits=2``
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import CONTROLS, Control, MethodSettings, Situation, require_view

BITS = (8, 4, 3, 2)


class Targets(Enum):
    """What it learns from."""

    teacher = "teacher"
    labels = "labels"


@dataclass
class QuantiseSettings(MethodSettings):
    """``teacher_from`` (a key of the root): one run. ``by_labels``: whether a stage learns from the labels as well."""

    situation: ClassVar[Situation | None] = Situation.small
    needs: ClassVar[str | None] = "categorical"

    bits: int
    ends: int
    activation_bits: int | None
    targets: Targets
    view: str
    by_labels: bool
    teacher_from: list[str] = field(metadata={"root": True, "runs": True})

    def __post_init__(self) -> None:
        for key in ("bits", "ends", "activation_bits"):
            value = vars(self)[key]
            known = f"must be one of {', '.join(map(str, BITS))}, but is {value}"
            require(value in BITS or (value is None and key == "activation_bits"), f"method.{key}", known)
        require_view("method.view", self.view)
        is_one = len(self.teacher_from) == 1
        require(is_one, "teacher_from", "needs the folder of one finished run, whose network is quantised")

    @property
    def guests(self) -> tuple[str, ...]:
        return tuple(self.teacher_from)

    @property
    def controls(self) -> tuple[Control, ...]:
        return CONTROLS if self.targets is Targets.teacher else ()

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)

    @property
    def stages(self) -> tuple[str, ...]:
        has_both = self.by_labels and self.targets is Targets.teacher
        return ("by_labels", "quantised") if has_both else ("quantised",)
