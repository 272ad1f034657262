"""Online: data keep coming, drift, and have no labels; the network of a moment ago labels what comes next.

Paper: Kumar et al. 2020 (2002.11361).
Idea: ``CE(z, argmax z_before)`` over the items of a period of which the network, as it was before, is most confident;
then the next period. Labels are there for the first period alone.
Asymmetry: the past. The teacher is the student as the period before left it, of whose kind of data the new is nearly.
Use when: data drift gradually, and nobody labels them.
Expect: 50.8 % of the last period right, for 11.6 without learning, 13.8 with new statistics of BatchNorm and 11.3 from
the same items in no order (Fashion-MNIST turned from 0 to 60 degrees, labels up to 5; one seed, nothing tuned).
Watch for: order is what helps, so hold it against the same items in none (``dataset.stream.shuffled=true``); a period
of another kind, whose pseudo-labels are wrong and are learned nevertheless, unless ``method.most_imbalance=0.25`` takes
such updates back; calibration, which hard labels spoil.
Try: ``sdrun method=online dataset/stream=rotation dataset.num_labels=300``
``sdrun -m method=online_gradual,online_frozen dataset/stream=rotation dataset.num_labels=300 seed=0,1,2``
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import (
    MethodSettings,
    Situation,
    StreamSettings,
    TargetKind,
    UnlabelledSettings,
    require_range,
    require_view,
)
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


class Keep(Enum):
    """Whose weights stay: those that are needed, the first and the last that are good, or those of all periods."""

    needed = "needed"
    all = "all"


OF_CHOICE = {"members": 1, "drop": 0, "precision": None}
OF_TRAINING = {
    "labeller": Labeller.student,
    "targets": TargetKind.hard,
    **OF_CHOICE,
    "by_class": False,
    "labelled_ratio": 0,
    "buffered_ratio": 0,
    "stay": 0,
    "least_accuracy": 0,
    "most_imbalance": 1,
    "keep": Keep.needed,
}
"""Settings of what counts, and of a period's training, and what each is where there is none."""


@dataclass
class OnlineSettings(MethodSettings):
    """``members``: so many students of late, the last among them, label by their mean, and only where they agree.

    ``drop``: share of the items that is not learned from, the least confident; ``by_class``: of each class;
    ``precision``: instead, what is as confident as validation items of which so large a share is right.
    ``labelled_ratio``, ``buffered_ratio``: in a batch for each other item, labelled ones of the first period, and those
    of a sample of ``buffer`` items out of all that were learned before. ``stay``: weight of the divergence from the
    network of the first period. An update is taken back where fewer than ``least_accuracy`` of its pseudo-labels are
    estimated to be right, or its classes are more than ``most_imbalance`` away from the labelled ones.
    """

    situation: ClassVar[Situation | None] = Situation.drift
    needs: ClassVar[str | None] = "categorical"
    needs_stream: ClassVar[type[StreamSettings] | None] = UnlabelledSettings

    learns: Learns
    labeller: Labeller
    members: int
    targets: TargetKind
    drop: float
    by_class: bool
    precision: float | None
    scope: Scope
    labelled_ratio: int
    buffered_ratio: int
    buffer: int
    stay: float
    least_accuracy: float
    most_imbalance: float
    keep: Keep
    momentum: float
    view: str
    label_smoothing: float

    def __post_init__(self) -> None:
        require_range("method.members", self.members, 1)
        require_range("method.drop", self.drop, 0, 0.99)
        require_range("method.precision", self.precision, 0, 1)
        require_range("method.labelled_ratio", self.labelled_ratio, 0)
        require_range("method.buffered_ratio", self.buffered_ratio, 0)
        require_range("method.buffer", self.buffer, 1)
        require_range("method.least_accuracy", self.least_accuracy, 0, 1)
        require_range("method.most_imbalance", self.most_imbalance, 0, 1)
        require_range("method.stay", self.stay, 0)
        require_range("method.momentum", self.momentum, 0, 1)
        require_view("method.view", self.view)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        is_plain = self.label_smoothing == 0 or self.targets is TargetKind.hard
        require(is_plain, "method.label_smoothing", "has no effect on method.targets=soft; set it to 0")
        if self.learns is not Learns.weights:
            self._require_usual(OF_TRAINING, f"method.learns={self.learns.value}")
        if self.labeller is Labeller.truth:
            self._require_usual(OF_CHOICE, "method.labeller=truth")
        has_scope = self.learns is not Learns.nothing or self.scope is Scope.period
        require(has_scope, "method.scope", "has no effect with method.learns=nothing; set it to period")
        has_choice = self.drop > 0 or not self.by_class
        require(has_choice, "method.by_class", "has no effect with method.drop=0; set that too, or leave this out")
        is_one = self.drop == 0 or self.precision is None
        require(is_one, "method.precision", "says what counts, and so does method.drop; set that to 0")

    def _require_usual(self, usual: Mapping[str, object], where: str) -> None:
        """Raise InputError where a setting has no effect."""
        for key, value in usual.items():
            word = value.value if isinstance(value, Enum) else text(value)
            require(vars(self)[key] == value, f"method.{key}", f"has no effect with {where}; set it to {word}")

    @property
    def may_take_back(self) -> bool:
        """Whether an update may be found to do harm."""
        return self.least_accuracy > 0 or self.most_imbalance < 1

    @property
    def is_periodic(self) -> bool:
        return self.learns is Learns.weights

    @property
    def stages(self) -> tuple[str, ...]:
        return (SOURCE,)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
