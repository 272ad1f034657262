"""When a claim is looked at, and how sure each look has to be, so that all looks together are wrong at most as often
as one would be.

Repeated confidence intervals (Jennison & Turnbull 1989): each look has a share of the level, as much as it adds to the
seeds (the spending function ``level t`` of Kim & DeMets 1987). The shares add up to the level, so the intervals,
Student's at each look, hold at all looks together by Bonferroni's inequality, whatever is decided after which of them.
They are a little wider than the correlation of the looks would allow, and exact for few seeds, where boundaries from
the normal distribution are not.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from sdrun.comparison.statistics import LEVEL

GROWTH = 1.6
"""Of the seeds from look to look, at most."""


def looks(first: int, most: int) -> list[int]:
    """Numbers of seeds at which a claim is looked at.

    >>> looks(5, 20)
    [5, 8, 13, 20]
    """
    steps = math.ceil(math.log(most / first) / math.log(GROWTH) - 1e-9)
    return [first, *(round(first * (most / first) ** (step / steps)) for step in range(1, steps + 1))]


def levels(numbers: Sequence[int], level: float = LEVEL) -> list[float]:
    """The level of each look; their sum is ``level``."""
    return [level * added / numbers[-1] for added in (numbers[0], *(b - a for a, b in pairwise(numbers)))]
