"""Mean teacher: few labels, many items, and an average of the student that both views of an item should agree with.

Paper: Tarvainen & Valpola 2017 (1703.01780).
Idea: ``CE(z_s, y) + w(t) D(z_s, z_t)``; the student sees one view of an item and the teacher another of the same kind.
CE is over the labelled items of a batch, D over all of them, and w rises from nearly 0 as a sigmoid.
Asymmetry: averaged weights. The teacher is an exponential moving average of the student and follows each of its steps.
Use when: labels are few and items without one many.
Expect: over a tuned baseline no gain was shown here. Neither tuned, on the same strong views for as many steps, each of
which costs three: +1.1 points [+0.3, +1.9] (250 labels of Fashion-MNIST).
Watch for: supervised training on stronger views may gain as much (``method=supervised method.view=strong``); a
consistency term whose share of the gradient is 0; a validation split with far more labels than training has.
Try: ``sdrun method=mean_teacher dataset.num_labels=40``
``sdrun -m method=mean_teacher,supervised method.view=strong dataset.num_labels=40 seed=0,1,2``
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from sdrun.settings import CONTROLS, Control, MethodSettings, MomentumSchedule, Situation, require_range, require_view


class Distance(Enum):
    """D: of probabilities, or of distributions."""

    mse = "mse"
    kl = "kl"


@dataclass
class MeanTeacherSettings(MethodSettings):
    """``weight`` is that of D at its largest, after the share ``ramp_up`` of the steps.

    ``unlabelled_ratio``: items without labels in a batch for each one with a label.
    """

    situation: ClassVar[Situation | None] = Situation.few_labels
    needs: ClassVar[str | None] = "categorical"
    view: str
    consistency: Distance
    weight: float
    ramp_up: float
    label_smoothing: float
    unlabelled_ratio: int
    momentum: float
    momentum_schedule: MomentumSchedule

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_range("method.weight", self.weight, 0)
        require_range("method.ramp_up", self.ramp_up, 0, 1)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        require_range("method.unlabelled_ratio", self.unlabelled_ratio, 1)
        require_range("method.momentum", self.momentum, 0, 1)

    @property
    def controls(self) -> tuple[Control, ...]:
        return CONTROLS

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
