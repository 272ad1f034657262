"""What decides an ask."""

from dataclasses import dataclass
from enum import Enum

from sdrun.settings import Situation


class Goal(Enum):
    """``labels``: accuracy with the labels at hand, by what learns from items without one as well; ``compute``: that of
    a network that may stop early.
    """

    accuracy = "accuracy"
    calibration = "calibration"
    labels = "labels"
    compute = "compute"


@dataclass(frozen=True)
class Yardstick:
    """``metric`` decides, and a difference below ``margin`` does not matter; trials are chosen by ``choose_by``.

    ``beside``: another metric that is asked for once it is decided. ``spread``: what differences of paired seeds vary
    by, to all experience, where 250 items have a label and many are for testing. ``situations``: those whose methods
    come into question; None for all that training as a whole is asked of. ``baseline``: overrides of what they are
    held against.
    """

    metric: str
    choose_by: str
    margin: float
    spread: float
    beside: str
    situations: tuple[Situation, ...] | None = None
    baseline: tuple[str, ...] = ("method=supervised",)


PROPER = (Situation.few_labels, Situation.wrong_labels, Situation.many_labels, Situation.small)

YARDSTICKS = {
    Goal.accuracy: Yardstick("test/accuracy", "val/accuracy", 0.005, 0.005, "test/nll_calibrated"),
    Goal.calibration: Yardstick("test/nll_calibrated", "val/nll_calibrated", 0.01, 0.02, "test/aurc_calibrated"),
    Goal.labels: Yardstick(
        "test/accuracy", "val/accuracy", 0.005, 0.005, "test/nll_calibrated", (Situation.few_labels,)
    ),
    Goal.compute: Yardstick(
        "test/exit_1/accuracy",
        "val/exit_1/accuracy",
        0.005,
        0.005,
        "test/accuracy",
        (Situation.early_exit,),
        ("method=layerwise", "method.alpha=0", "method.beta=0", "method.exit_ce=1"),  # exits that learn labels alone
    ),
}
