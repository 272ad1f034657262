"""What is claimed of drawn runs, against what is true of how they were drawn."""

import numpy as np
import pytest

from sdrun.comparison.differences import Outcome, difference
from sdrun.comparison.statistics import LEVEL, paired, power, seeds_needed
from sdrun.judges.metric import Better, Metric

ACCURACY = Metric("accuracy", Better.higher, "%", "accuracy")
DECIDED = {Outcome.better, Outcome.worse}


def judged(random, n, effects, unit=None):
    """Differences from one baseline of ``n`` seeds, in multiples of ``unit`` where accuracies are coarse."""
    base = random.normal(0.8, 0.01, n)
    others = [base + 0.01 * random.normal(effect, 1, n) for effect in effects]
    if unit:
        base, others = np.round(base / unit) * unit, [np.round(other / unit) * unit for other in others]
    level = LEVEL / len(effects)
    return [difference(ACCURACY, dict(enumerate(other)), dict(enumerate(base)), level) for other in others]


@pytest.mark.parametrize(("n", "unit"), [(3, None), (8, None), (3, 0.01), (6, 0.01)])
def test_false_verdicts_are_as_rare_as_is_said(n, unit):
    """Four comparisons of noise with one baseline: seldom does any of them look like something."""
    random, num = np.random.default_rng(n), 400
    false = sum(any(d.outcome in DECIDED for d in judged(random, n, [0.0] * 4, unit)) for _ in range(num))
    assert false / num <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / num)


def test_intervals_hold_together_as_often_as_is_said():
    random, num, effects = np.random.default_rng(1), 400, [0.0, 1.0, -2.0]
    drawn = [judged(random, 4, effects) for _ in range(num)]
    hold = [
        all(d.paired.low <= 0.01 * effect <= d.paired.high for d, effect in zip(together, effects, strict=True))
        for together in drawn
    ]
    assert np.mean(hold) >= 1 - LEVEL - 3 * np.sqrt(LEVEL * (1 - LEVEL) / num)


def test_interval_and_verdict_never_contradict():
    """Of any data: noise of any size, coarse, without spread, and of many comparisons."""
    random = np.random.default_rng(2)
    seen = set()
    for _ in range(1500):
        n, num = int(random.integers(2, 12)), int(random.integers(1, 9))
        mean, spread = random.choice([0, 0.5, 3, -3]), random.choice([0, 1e-9, 1])
        values = random.normal(mean, spread, n) * 10.0 ** random.integers(-6, 4)
        values = np.round(values, 1) if random.random() < 0.3 else values
        base = dict.fromkeys(range(n), 0.0)
        d = difference(ACCURACY, dict(enumerate(values.tolist())), base, LEVEL / num)
        excludes = not d.paired.low <= 0 <= d.paired.high
        assert excludes == (d.adjusted <= LEVEL) == (d.verdict in ("better", "worse")), values
        assert not excludes or (d.paired.low > 0) == (d.verdict == "better")
        assert (d.outcome is Outcome.equal) == (d.paired.low == 0 == d.paired.high)
        assert d.outcome is Outcome.equal or values.any()
        seen.add((d.outcome, bool(np.isinf(d.paired.low)), d.paired.sd == 0))
    assert len(seen) == 7  # each way out came up: with spread three, without four


def test_a_true_effect_is_seen_as_often_as_predicted():
    random, num, n, effect = np.random.default_rng(0), 600, 5, 2.0
    share = np.mean([judged(random, n, [effect])[0].verdict == "better" for _ in range(num)])
    assert abs(share - power(n, effect)) < 3 * np.sqrt(share * (1 - share) / num)


def test_the_seeds_that_are_said_to_be_needed_do_show_the_effect():
    random, num, pairs = np.random.default_rng(0), 400, paired([0.4, -0.5, 0.6, 0.1, -0.2, 0.5])
    n = seeds_needed(pairs)
    ps = [paired(list(random.normal(pairs.mean, pairs.sd, n))).p for _ in range(num)]
    share = np.mean(np.array(ps) <= LEVEL)
    assert share >= 0.8 - 3 * np.sqrt(0.8 * 0.2 / num)


def test_a_stricter_level_needs_more_seeds():
    pairs = paired([0.4, -0.5, 0.6, 0.1, -0.2, 0.5])
    assert seeds_needed(pairs, LEVEL / 8) > seeds_needed(pairs)
