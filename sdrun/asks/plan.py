"""How a budget of time is spent: what is tried, how often, and what it will be able to tell."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from sdrun.asks.declaration import PLAIN, Asked
from sdrun.comparison.statistics import LEVEL, POWER, power

TUNING = 0.5
"""Of the time, what tuning may take."""

TRIALS = (9, 6, 4, 3, 2, 1)
"""Of each side, fewer than are asked for."""

ENOUGH = 4
"""Trials of each side, with fewer of which rather fewer candidates are tried."""

FEWEST = 3
"""Paired seeds without which nothing is said."""

WITHIN = 1.25
"""Times as long as was measured that a training may take."""

CONTROLS = 2
"""Of the winner, which have a few of its seeds at least."""


@dataclass(frozen=True)
class Pace:
    """Seconds of a training of each side at the command line's length, and of what it starts from, where it does."""

    seconds: Mapping[str, float]
    starts: Mapping[str, float]
    at_once: int

    def longest(self, names: Sequence[str]) -> float:
        return max(self.seconds[name] for name in names)

    def in_all(self, trainings: Sequence[float]) -> float:
        """Of trainings of so many seconds each, as many at once as there are places, with some to spare."""
        return WITHIN * max(sum(trainings) / self.at_once, max(trainings, default=0.0))


@dataclass(frozen=True)
class Plan:
    """``left_out``: candidates with the reason; ``seconds``: of a training of each side at the command line's length.

    ``left``: seconds that there were for it. ``tuning``, ``pair``, ``controls``: seconds of all of tuning, of one more
    paired seed, and of the fewest seeds of controls, with all jobs at once.
    """

    candidates: list[str]
    left_out: dict[str, str]
    trials: int
    tuning_seeds: list[int]
    lengths: list[float]
    num_seeds: int
    seconds: dict[str, float]
    left: float
    tuning: float
    pair: float
    controls: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def planned(asked: Asked, names: Sequence[str], left_out: Mapping[str, str], pace: Pace, left: float) -> Plan | None:
    """The best plan for ``left`` seconds; None where they do not suffice for any. ``names``: of candidates, the
    likeliest first.
    """
    cheapest = min(names, key=lambda name: pace.seconds[name])
    for chosen, lengths, trials, tuning_seeds in _ways(asked, names, cheapest):
        plan = _plan(asked, chosen, pace, trials, tuning_seeds, lengths)
        num_seeds = math.floor((left - plan.tuning - plan.controls) / plan.pair)
        is_least = trials == 1
        if num_seeds < (FEWEST if is_least else asked.seeds) or (plan.tuning > TUNING * left and not is_least):
            continue
        dear = {name: "the budget" for name in names if name not in chosen}
        num_seeds = min(num_seeds, asked.most_seeds)
        return replace(plan, left_out={**left_out, **dear}, num_seeds=num_seeds, left=left)
    return None


def least(asked: Asked, names: Sequence[str], pace: Pace) -> float:
    """Seconds without which there is no plan: those of a trial of each side and the fewest paired seeds."""
    plans = [_plan(asked, [name], pace, 1, asked.tuning_seeds[:1], asked.lengths[:1]) for name in names]
    return min(plan.tuning + FEWEST * plan.pair + plan.controls for plan in plans)


def _ways(
    asked: Asked, names: Sequence[str], cheapest: str
) -> Iterator[tuple[Sequence[str], list[float], int, list[int]]]:
    """Candidates, lengths, trials of each, tuning seeds: the best first.

    Longer training comes before more settings, for it is what methods lose to most often, and before a third candidate.
    """
    most = len(names)
    trials = [asked.trials, *(num for num in TRIALS if num < asked.trials)]
    seeds = [asked.tuning_seeds[:num] for num in range(len(asked.tuning_seeds), 0, -1)]
    enough = [num for num in trials if num >= min(ENOUGH, asked.trials)]
    for lengths, fewest in ((asked.lengths, min(2, most)), (asked.lengths[:1], 1)):
        for num, num_trials, tuning_seeds in product(range(most, fewest - 1, -1), enough, seeds):
            yield names[:num], lengths, num_trials, tuning_seeds
    for num_trials in trials:
        if num_trials not in enough or num_trials == 1:
            yield [cheapest], asked.lengths[:1], num_trials, seeds[-1]


def _plan(
    asked: Asked, names: Sequence[str], pace: Pace, trials: int, tuning_seeds: list[int], lengths: list[float]
) -> Plan:
    """One whose number of seeds is open."""
    num_tuning, longest = len(tuning_seeds), lengths[-1] * pace.longest(names)
    starts = [pace.starts[name] for name in names if name in pace.starts]
    tuning = pace.in_all(num_tuning * starts) + pace.in_all(num_tuning * [longest])
    for num_left, num, length in stages(len(names), trials, lengths, asked.halving):
        each = [length * pace.seconds[side] for side in (PLAIN, *names[:num_left])]
        tuning += pace.in_all(num * num_tuning * each)
    plain = pace.seconds[PLAIN]
    pair = WITHIN * (plain + lengths[-1] * plain + 2 * longest + max(starts, default=0.0)) / pace.at_once
    pair = max(pair, WITHIN * longest / FEWEST)  # what the fewest seeds take together
    controls = pace.in_all(FEWEST * CONTROLS * [longest]) if trials > 1 else 0.0
    return Plan([*names], {}, trials, tuning_seeds, lengths, 0, dict(pace.seconds), 0.0, tuning, pair, controls)


def stages(num: int, trials: int, lengths: Sequence[float], halving: int) -> list[tuple[int, int, float]]:
    """Of tuning: how many candidates are left, by how many trials each, at which length.

    Successive halving (1502.07943): the better half of candidates, and one of ``halving`` of the trials of each, go on.
    """
    rungs = []
    for length in lengths:
        rungs.append((num, trials, length))
        num, trials = -(-num // 2), -(-trials // halving)
    return rungs


def detectable(num_seeds: int, spread: float, level: float = LEVEL) -> float:
    """The difference that so many paired seeds find with a chance of 80 %, where they vary by ``spread``."""
    low, high = 0.0, 0.5
    while power(num_seeds, high, level) < POWER:
        low, high = high, 1.5 * high
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if power(num_seeds, middle, level) >= POWER else (middle, high)
    return spread * high


def enough(difference: float, spread: float, level: float = LEVEL) -> int | None:
    """Paired seeds that find such a difference with a chance of 80 %; None of more than a thousand."""
    return next((num for num in range(FEWEST, 1001) if power(num, difference / spread, level) >= POWER), None)


def spread(asked: Asked, num_labelled: int, num_test: int) -> float:
    """What differences of paired seeds vary by, to all experience with sdrun's own claims.

    What networks of two seeds differ in grows with fewer labels, and a test set of few items adds the noise of the
    twentieth of them that two networks say otherwise.
    """
    few = max(1.0, 250 / num_labelled)
    return asked.yardstick.spread * math.sqrt(few + 0.05 / (0.005**2 * num_test))
