"""Online: data keep coming, drift, and have no labels; the network of a moment ago labels what comes next.

Paper: Kumar et al. 2020 (2002.11361).
Idea: ``CE(z, argmax z_before)`` over the items of a period of which the network, as it was before, is most confident;
then the next period. Labels are there for the first period alone.
Asymmetry: the past. The teacher is the student as the period before left it, of whose kind of data the new is nearly.
Use when: data drift gradually, and nobody labels them.
Expect: 50.8 % of the last period right, for 11.6 without learning, 13.8 with new statistics of BatchNorm and 11.3 from
the same items in no order (Fashion-MNIST turned from 0 to 60 degrees, labels up to 5; one seed, nothing tuned).
Watch for: order is what helps, so hold it against the same items in none (``dataset.stream.shuffled=true``); a period
of another kind, whose pseudo-labels are wrong and are learned nevertheless; calibration, which hard labels spoil.
Try: ``sdrun method=online dataset/stream=rotation dataset.num_labels=300``
``sdrun -m method=online_gradual,online_frozen dataset/stream=rotation dataset.num_labels=300 seed=0,1,2``
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import MethodSettings, Situation, TargetKind, require_range, require_view
from sdrun.settings.words import text

SOURCE = "source"
"""The stage that has labels."""


class Learns(Enum):
    """What of a network a period changes."""

    weights = "weights"
    statistics = "statistics"
    nothing = "nothing"


class Labeller(Enum):
    """Who says what is learned: the student as it was, its average, or the truth, which is there in no real stream."""

    student = "student"
    ema = "ema"
    truth = "truth"


class Scope(Enum):
    """From whose items a period's training learns; but for ``period`` these are controls, which know the future."""

    period = "period"
    last = "last"
    everything = "everything"


OF_TRAINING = {
    "labeller": Labeller.student,
    "targets": TargetKind.hard,
    "drop": 0,
    "by_class": False,
    "labelled_ratio": 0,
    "stay": 0,
}
"""Settings of a period's training, and what each is where there is none."""


@dataclass
class OnlineSettings(MethodSettings):
    """``drop``: share of the items that is not learned from, the least confident; ``by_class``: of each class.

    ``labelled_ratio``: labelled items of the first period in a batch for each other one; ``stay``: weight of the
    divergence from the network of the first period.
    """

    situation: ClassVar[Situation | None] = Situation.drift
    needs: ClassVar[str | None] = "categorical"
    needs_stream: ClassVar[bool] = True

    learns: Learns
    labeller: Labeller
    targets: TargetKind
    drop: float
    by_class: bool
    scope: Scope
    labelled_ratio: int
    stay: float
    momentum: float
    view: str
    label_smoothing: float

    def __post_init__(self) -> None:
        require_range("method.drop", self.drop, 0, 0.99)
        require_range("method.labelled_ratio", self.labelled_ratio, 0)
        require_range("method.stay", self.stay, 0)
        require_range("method.momentum", self.momentum, 0, 1)
        require_view("method.view", self.view)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        is_plain = self.label_smoothing == 0 or self.targets is TargetKind.hard
        require(is_plain, "method.label_smoothing", "has no effect on method.targets=soft; set it to 0")
        for key, usual in OF_TRAINING.items():
            has_effect = self.learns is Learns.weights or vars(self)[key] == usual
            value = usual.value if isinstance(usual, Enum) else text(usual)
            ignored = f"has no effect with method.learns={self.learns.value}; set it to {value}"
            require(has_effect, f"method.{key}", ignored)
        has_scope = self.learns is not Learns.nothing or self.scope is Scope.period
        require(has_scope, "method.scope", "has no effect with method.learns=nothing; set it to period")
        is_chosen = self.labeller is not Labeller.truth or self.drop == 0
        require(is_chosen, "method.drop", "has no effect with method.labeller=truth; set it to 0")
        has_choice = self.drop > 0 or not self.by_class
        require(has_choice, "method.by_class", "has no effect with method.drop=0; set that too, or leave this out")

    @property
    def is_periodic(self) -> bool:
        return self.learns is Learns.weights

    @property
    def stages(self) -> tuple[str, ...]:
        return (SOURCE,)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
