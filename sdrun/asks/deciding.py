"""How sure an ask has to be, so that all of it, selection and looks together, is wrong at most as often as its level.

Candidates are chosen on validation of tuning seeds, which no answer rests on. What is asked of the paired seeds shares
the level by Bonferroni's inequality: whether a finalist helps, each an equal part of ``HELPS`` of it, and whether plain
training has become better has the rest. What is asked once a finalist helps has its whole part again, each question
only if all before it were answered for the better (fixed sequence; Maurer, Hothorn & Lehmacher 1995). So all that is
said to be better or worse holds together; an interval behind the first question holds by itself.

Looks at the same question share its part as in claims. A budget that is added later spends ``FIRST`` of what those
before it have left, so that the answer of the whole holds however often somebody adds to it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sdrun.claims.answers import Answer, answered
from sdrun.claims.declaration import Contrast
from sdrun.claims.looks import levels, looks
from sdrun.comparison.differences import Difference
from sdrun.comparison.statistics import LEVEL

HELPS = 0.8
FIRST = 0.8


@dataclass(frozen=True)
class Look:
    """At ``num`` paired seeds, with a ``share`` of the level of its question."""

    num: int
    share: float


def further(made: list[Look], first: int, most: int) -> list[Look]:
    """The looks that one more budget adds to those that were ``made``: at ``first`` to ``most`` seeds.

    >>> [look.num for look in further([], 5, 13)], [look.num for look in further([Look(5, 0.8)], 5, 9)]
    ([5, 8, 13], [6, 9])
    """
    there = made[-1].num if made else 0
    numbers = looks(max(first, there + 1), most)
    shares = levels([number - there for number in numbers], FIRST * (1 - sum(look.share for look in made)))
    return [Look(number, share) for number, share in zip(numbers, shares, strict=True)]


def helps(num_finalists: int) -> float:
    """The level at which each finalist is asked whether it helps, and what is asked of it after that."""
    return HELPS * LEVEL / num_finalists


PLAIN_LEVEL = (1 - HELPS) * LEVEL
"""At which it is asked whether plain training has become better."""


def decided(
    contrast: Contrast,
    margin: float | None,
    made: list[Look],
    level: float,
    difference: Callable[[Contrast, float, int], Difference | None],
) -> Answer:
    """A question at all looks that were made, until one decides."""
    shares = [(look.num, look.share * level) for look in made]
    return answered(contrast, margin, shares, lambda num, share: difference(contrast, share, num))
