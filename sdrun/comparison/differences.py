"""A metric over seeds, and its difference between two groups: how large, and whether it is more than noise."""

from dataclasses import dataclass

import numpy as np

from sdrun.comparison.statistics import LEVEL, Paired, choose_test, holm, paired, seeds_needed
from sdrun.judges.metric import Metric


@dataclass(frozen=True)
class Cell:
    """A metric of a group: how many seeds have it, mean, standard deviation (None of one seed)."""

    n: int
    mean: float
    sd: float | None


@dataclass
class Difference:
    """A group against its baseline over the seeds that both have; ``adjusted``: p after correction for all.

    ``effect``: the mean difference in standard deviations of the baseline over seeds, None where that is 0.
    """

    metric: Metric
    paired: Paired
    effect: float | None
    adjusted: float = float("nan")
    needed: int | None = None

    @property
    def verdict(self) -> str:
        """One line that says what these seeds can tell."""
        if self.adjusted <= LEVEL:
            better = self.metric.is_better(self.paired.mean)
            return {True: "better", False: "worse", None: "higher" if self.paired.mean > 0 else "lower"}[better]
        n = self.paired.n
        if self.paired.sd == 0 and self.paired.mean == 0:
            return f"equal in all {n} seeds"
        if self.paired.sd == 0:
            return f"cannot tell with {n} seeds, which all differ by the same; a few more would do"
        needed = f"about {self.needed}" if self.needed else "more than 1,000"
        return f"cannot tell with {n} seeds; {needed} would be needed"


def cell(values: dict[int, float]) -> Cell | None:
    """Of a metric by seed; None of none."""
    numbers = list(values.values())
    if not numbers:
        return None
    return Cell(len(numbers), float(np.mean(numbers)), float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None)


def difference(metric: Metric, own: dict[int, float], base: dict[int, float], num_comparisons: int) -> Difference:
    """Over the seeds that both have, of which there must be two at least; its p is not corrected yet."""
    shared = sorted(own.keys() & base.keys())
    pairs = paired([own[seed] - base[seed] for seed in shared], choose_test(len(shared), num_comparisons))
    spread = float(np.std(list(base.values()), ddof=1))
    return Difference(metric, pairs, pairs.mean / spread if spread else None)


def correct(differences: list[Difference]) -> None:
    """Give each its p after Holm's correction for all of them, and the seeds that would have been needed."""
    for difference, p in zip(differences, holm([d.paired.p for d in differences]), strict=True):
        difference.adjusted = p
        difference.needed = seeds_needed(difference.paired, LEVEL / len(differences))
