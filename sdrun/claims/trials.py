"""Which settings a claim tries for each of its sides, and how many of them go on to the next length."""

from itertools import product
from random import Random

from sdrun.claims.declaration import Declaration
from sdrun.randomness import seed_of
from sdrun.settings.words import override, text


def trials(claim: Declaration, side: str) -> list[list[str]]:
    """Overrides of each trial: so many of all combinations, drawn by the name of the side alone, in their order."""
    axes = claim.axes(side)
    drawn = Random(seed_of("trials", side)).sample(range(claim.num_combinations(side)), claim.trials)
    combinations = list(product(*axes.values()))
    return [
        [override(key, text(value)) for key, value in zip(axes, combinations[number], strict=True)]
        for number in sorted(drawn)
    ]


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
