"""Whether paired differences are more than noise. The formulas are scipy's."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy import stats

LEVEL = 0.05
POWER = 0.8
MOST_EXACT = 12
"""Pairs up to which all changes of sign are looked at: 4,096."""

MOST_SEEDS = 1000
"""Where the search for a number of seeds ends."""


class Test(Enum):
    """``permutation``: exact, over all changes of sign of the differences; ``t``: Student's."""

    permutation = "permutation"
    t = "t"


@dataclass(frozen=True)
class Paired:
    """Differences of ``n`` pairs: mean, standard deviation, 95 % interval by t, and the two-sided p of ``test``."""

    n: int
    mean: float
    sd: float
    low: float
    high: float
    p: float
    test: Test


def choose_test(n: int, num_comparisons: int) -> Test:
    """Exact where ``n`` pairs can reach the level after correction and can be enumerated, else t."""
    can_reach = 2 * 0.5**n <= LEVEL / num_comparisons
    return Test.permutation if can_reach and n <= MOST_EXACT else Test.t


def paired(differences: list[float], test: Test) -> Paired:
    """Of at least two differences; where all are the same number, the exact test alone says anything."""
    d = np.asarray(differences, dtype=float)
    n, mean, sd = len(d), float(d.mean()), float(d.std(ddof=1))
    if np.ptp(d) <= 1e-12 * max(1.0, float(np.abs(d).max())):
        p = 1.0 if abs(mean) < 1e-12 else 2 * 0.5**n
        return Paired(n, mean, 0.0, mean, mean, p, Test.permutation)
    by_t = stats.ttest_1samp(d, 0.0)
    low, high = by_t.confidence_interval(1 - LEVEL)
    p = float(by_t.pvalue)
    if test is Test.permutation:
        by_sign = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True)
        p = float(by_sign.pvalue)
    return Paired(n, mean, sd, float(low), float(high), p, test)


def holm(ps: list[float]) -> list[float]:
    """Adjusted p-values that hold for all of them together (Holm 1979)."""
    order = np.argsort(ps)
    factors = len(ps) - np.arange(len(ps))
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(np.asarray(ps)[order] * factors))
    return adjusted.tolist()


def power(n: int, effect: float, level: float = LEVEL) -> float:
    """Chance that a paired t test of ``n`` pairs finds a mean difference of ``effect`` standard deviations."""
    bound = stats.t.ppf(1 - level / 2, n - 1)
    shift = effect * np.sqrt(n)
    return float(stats.nct.sf(bound, n - 1, shift) + stats.nct.cdf(-bound, n - 1, shift))


def seeds_needed(pairs: Paired, level: float = LEVEL) -> int | None:
    """Pairs, more than there are, with which a mean difference like this one is found with a chance of 80 %.

    None beyond a thousand.
    """
    if pairs.sd == 0 or pairs.mean == 0:
        return None
    effect = abs(pairs.mean) / pairs.sd
    low, high = 1, 2
    while power(high, effect, level) < POWER:
        low, high = high, 2 * high
        if low >= MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, effect, level) >= POWER else (middle, high)
    return max(high, pairs.n + 1) if high <= MOST_SEEDS else None


@dataclass(frozen=True)
class Items:
    """Two classifiers on the same ``n`` items: how many the first alone, and the second alone, has right."""

    n: int
    first_alone: int
    second_alone: int
    p: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Accuracy of the first minus that of the second."""
        return (self.first_alone - self.second_alone) / self.n


def by_item(first: np.ndarray, second: np.ndarray) -> Items:
    """Of correctness [N] as bool: McNemar's test, exact, and a 95 % interval of the difference by paired bootstrap."""
    alone, other = int((first & ~second).sum()), int((second & ~first).sum())
    p = float(stats.binomtest(alone, alone + other).pvalue) if alone + other else 1.0
    differences = first.astype(np.int8) - second.astype(np.int8)
    low = high = float(differences.mean())
    if alone + other:
        drawn = stats.bootstrap(
            (differences,), np.mean, method="percentile", n_resamples=2000, batch=100, rng=np.random.default_rng(0)
        )
        low, high = map(float, drawn.confidence_interval)
    return Items(len(first), alone, other, p, low, high)
