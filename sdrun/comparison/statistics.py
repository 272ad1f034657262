"""Whether paired differences are more than noise. The formulas are scipy's, whose `stats` takes long to import."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

LEVEL = 0.05
POWER = 0.8
MOST_SEEDS = 1000
"""Where the search for a number of seeds ends."""


@dataclass(frozen=True)
class Paired:
    """Differences of ``n`` pairs: mean, standard deviation, interval at ``1 - level``, and two-sided p, both by t."""

    n: int
    mean: float
    sd: float
    low: float
    high: float
    p: float
    level: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval does, which is whether p is at most ``level``."""
        return self.low > 0 or self.high < 0


def paired(differences: list[float], level: float = LEVEL) -> Paired:
    """The paired t test of at least two differences, and the interval that goes with it.

    Where all are the same number, which t cannot judge, p is that of their signs, and the interval is that number, or
    everything where p is above the level.
    """
    d = np.asarray(differences, dtype=float)
    n, mean, sd = len(d), float(d.mean()), float(d.std(ddof=1))
    if np.ptp(d) <= 1e-12 * max(1.0, float(np.abs(d).max())):
        return _alike(n, 0.0 if abs(mean) < 1e-12 else mean, level)
    error = sd / math.sqrt(n)
    p = 2 * float(special.stdtr(n - 1, -abs(mean) / error))
    half = error * -float(special.stdtrit(n - 1, level / 2))
    return Paired(n, mean, sd, mean - half, mean + half, p, level)


def _alike(n: int, mean: float, level: float) -> Paired:
    p = 2 * 0.5**n if mean else 1.0
    low, high = (mean, mean) if not mean or p <= level else (-math.inf, math.inf)
    return Paired(n, mean, 0.0, low, high, p, level)


def power(n: int, effect: float, level: float = LEVEL) -> float:
    """Chance that a paired t test of ``n`` pairs finds a mean difference of ``effect`` standard deviations."""
    bound = -special.stdtrit(n - 1, level / 2)
    shift = effect * math.sqrt(n)
    return float(1 - special.nctdtr(n - 1, shift, bound) + special.nctdtr(n - 1, shift, -bound))


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
    """Two classifiers on the same ``n`` items: how many the first alone, and the second alone, has right.

    ``p``: McNemar's, exact; ``low`` and ``high`` bound the difference at 95 %, without 0 where ``p`` is below 5 %.
    """

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
    """Of correctness [N] as bool. The interval is Clopper's and Pearson's of the items that one alone has right."""
    alone, other = int((first & ~second).sum()), int((second & ~first).sum())
    num, n = alone + other, len(first)
    p = min(1.0, 2 * float(special.bdtr(min(alone, other), num, 0.5))) if num else 1.0
    low = float(special.betaincinv(alone, other + 1, LEVEL / 2)) if alone else 0.0
    high = float(special.betaincinv(alone + 1, other, 1 - LEVEL / 2)) if other else 1.0
    return Items(n, alone, other, p, num * (2 * low - 1) / n, num * (2 * high - 1) / n)
