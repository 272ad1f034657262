"""A metric over seeds, and its difference between two groups: how large, and whether it is more than noise."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from sdrun.comparison.statistics import LEVEL, Paired, paired, seeds_needed
from sdrun.judges.metric import Metric


@dataclass(frozen=True)
class Cell:
    """A metric of a group: how many seeds have it, mean, standard deviation (None of one seed)."""

    n: int
    mean: float
    sd: float | None


FEWEST = 3
"""Seeds by which it is said how many would be needed."""


class Outcome(Enum):
    """What the interval of a difference says; ``higher`` and ``lower``: of a metric without a better side."""

    better = "better"
    worse = "worse"
    higher = "higher"
    lower = "lower"
    equal = "equal"
    undecided = "undecided"


@dataclass(frozen=True)
class Difference:
    """A group against its baseline, ``by_seed`` over the seeds that both have.

    ``effect``: the mean difference in standard deviations of the baseline over seeds, None where that is 0.
    """

    metric: Metric
    paired: Paired
    effect: float | None
    by_seed: dict[int, float]

    @property
    def level(self) -> float:
        """Of this comparison alone: ``LEVEL``, divided by how many comparisons are to hold together."""
        return self.paired.level

    @property
    def adjusted(self) -> float:
        """The p after correction (Bonferroni): at most ``LEVEL`` where the interval excludes 0."""
        return min(1.0, self.paired.p * LEVEL / self.level)

    @cached_property
    def needed(self) -> int | None:
        """Seeds that would be needed to tell a difference like this one; None where that cannot be said."""
        return seeds_needed(self.paired, self.level)

    @property
    def outcome(self) -> Outcome:
        mean = self.paired.mean
        if self.paired.excludes_zero:
            better = self.metric.is_better(mean)
            return {True: Outcome.better, False: Outcome.worse, None: Outcome.higher if mean > 0 else Outcome.lower}[
                better
            ]
        return Outcome.equal if self.paired.sd == 0 and mean == 0 else Outcome.undecided

    @property
    def verdict(self) -> str:
        """One line that says what these seeds can tell."""
        n = self.paired.n
        if self.outcome is Outcome.equal:
            return f"equal in all {n} seeds"
        if self.outcome is not Outcome.undecided:
            return self.outcome.value
        if self.paired.sd == 0:
            return f"cannot tell with {n} seeds, which all differ by the same; a few more would do"
        return f"cannot tell with {n} seeds; {self.enough}"

    @property
    def enough(self) -> str:
        """How many seeds would be, in words. The spread of two differences tells next to nothing."""
        if self.paired.n < FEWEST:
            return "5 would tell more"
        return f"{f'about {self.needed}' if self.needed else 'more than 1,000'} would be needed"

    def is_within(self, margin: float) -> bool:
        """Whether the whole interval is closer to 0 than ``margin``."""
        return -margin < self.paired.low and self.paired.high < margin


def cell(values: dict[int, float]) -> Cell | None:
    """Of a metric by seed; None of none."""
    numbers = list(values.values())
    if not numbers:
        return None
    return Cell(len(numbers), float(np.mean(numbers)), float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None)


def difference(metric: Metric, own: dict[int, float], base: dict[int, float], level: float = LEVEL) -> Difference:
    """Over the seeds that both have, of which there must be two at least.

    >>> from sdrun.judges.metric import Better
    >>> accuracy = Metric("accuracy", Better.higher, "%")
    >>> difference(accuracy, {0: 0.83, 1: 0.85, 2: 0.84}, {0: 0.80, 1: 0.82, 2: 0.80}).verdict
    'better'
    """
    by_seed = {seed: own[seed] - base[seed] for seed in sorted(own.keys() & base.keys())}
    pairs = paired(list(by_seed.values()), level)
    spread = float(np.std(list(base.values()), ddof=1))
    return Difference(metric, pairs, pairs.mean / spread if spread else None, by_seed)
