"""Settings of networks that may stop early."""

from dataclasses import dataclass
from enum import Enum

from sdrun.errors import require
from sdrun.settings import require_positive, require_range


class Confidence(Enum):
    """What tells whether a sample leaves: its largest probability, or its entropy in nats, negated."""

    probability = "probability"
    entropy = "entropy"


ALWAYS = {Confidence.probability: 0.0, Confidence.entropy: -1000.0}
NEVER = {Confidence.probability: 2.0, Confidence.entropy: 1.0}
"""Thresholds that every sample reaches, and none; finite, so that JSON holds them."""


@dataclass
class ExitPolicySettings:
    """How the thresholds of early exit are found: by one of three goals, or where all are None by a tolerance of 0.

    ``tolerance``: the accuracy (0 to 1) that may be lost on the validation split against the best level of confidence,
    which is no worse than the full network;
    ``budget``: mean multiply-adds as a share of the full network's; ``thresholds``: of the shallow exits, by hand.
    ``temperatures``: of all exits; None: fitted on the validation split.
    """

    confidence: Confidence
    tolerance: float | None
    budget: float | None
    thresholds: list[float] | None
    temperatures: list[float] | None

    def __post_init__(self) -> None:
        key = "method.exit_policy"
        goals = [name for name in ("tolerance", "budget", "thresholds") if getattr(self, name) is not None]
        require(len(goals) < 2, key, f"needs one of tolerance, budget and thresholds; set {' or '.join(goals)} to null")
        require_range(f"{key}.tolerance", self.tolerance, 0, 1)
        require_positive(f"{key}.budget", self.budget)
        largest = {Confidence.probability: 1.0, Confidence.entropy: 0.0}[self.confidence]
        for threshold in self.thresholds or []:
            require(
                ALWAYS[self.confidence] <= threshold <= largest or threshold == NEVER[self.confidence],
                f"{key}.thresholds",
                f"{threshold:g} is no {self.confidence.value} to compare with; it is at most {largest:g}, "
                f"or {NEVER[self.confidence]:g} where no sample is to leave",
            )
        for temperature in self.temperatures or []:
            require_positive(f"{key}.temperatures", temperature)
