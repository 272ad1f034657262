"""Which settings a claim tries for each of its sides, and how many of them go on to the next length."""

import math
from random import Random
from typing import Any

from sdrun.claims.declaration import Declaration
from sdrun.randomness import seed_of
from sdrun.settings.words import override, text


def trials(claim: Declaration, side: str) -> list[list[str]]:
    """Overrides of each trial: so many of all combinations, drawn by the name of the side alone, in their order."""
    return drawn(claim.axes(side), claim.trials, side)


def drawn(axes: dict[str, list[Any]], num: int, name: str) -> list[list[str]]:
    """Overrides of ``num`` of all combinations, drawn by ``name`` alone, in their order."""
    most = math.prod(map(len, axes.values()))
    return [_combination(axes, number) for number in sorted(Random(seed_of("trials", name)).sample(range(most), num))]


def _combination(axes: dict[str, list[Any]], number: int) -> list[str]:
    """The one of that number, the last setting changing first."""
    line = []
    for key, values in reversed(axes.items()):
        number, place = divmod(number, len(values))
        line.append(override(key, text(values[place])))
    return line[::-1]


def rungs(claim: Declaration) -> list[int]:
    """How many trials of a side are made at each length.

    Successive halving (1502.07943): of all, the best at one length are trained for the next.
    """
    numbers = [claim.trials]
    for _ in claim.lengths[1:]:
        numbers.append(-(-numbers[-1] // claim.halving))
    return numbers


def num_tuning_runs(claim: Declaration) -> int:
    """Runs that are made to tune one side."""
    return len(claim.tuning_seeds) * sum(rungs(claim))
