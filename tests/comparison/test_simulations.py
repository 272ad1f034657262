"""What is claimed of drawn runs, against what is known of how they were drawn."""

import numpy as np
import pytest

from sdrun.comparison.differences import correct, difference
from sdrun.comparison.statistics import LEVEL, holm, paired, power, seeds_needed
from sdrun.comparison.statistics import Test as Kind
from sdrun.judges.metric import Better, Metric


def judged(random, n, effects, unit=None):
    """Differences from one baseline of ``n`` seeds, in multiples of ``unit`` where accuracies are coarse."""
    base = random.normal(0.8, 0.01, n)
    others = [base + 0.01 * random.normal(effect, 1, n) for effect in effects]
    if unit:
        base, others = np.round(base / unit) * unit, [np.round(other / unit) * unit for other in others]
    pairs = [(dict(enumerate(other)), dict(enumerate(base))) for other in others]
    differences = [difference(Metric("accuracy", Better.higher), own, base, len(effects)) for own, base in pairs]
    correct(differences)
    return differences


@pytest.mark.parametrize("n", [3, 6])
def test_coarse_accuracies_make_no_more_false_claims(n):
    random, num = np.random.default_rng(n), 400
    false = sum(any(found.adjusted <= LEVEL for found in judged(random, n, [0.0] * 4, 0.01)) for _ in range(num))
    assert false / num <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / num)


def test_the_exact_test_of_8_pairs_finds_about_what_the_power_of_t_says():
    random, num = np.random.default_rng(0), 400
    drawn = [judged(random, 8, [1.2])[0] for _ in range(num)]
    assert {found.paired.test for found in drawn} == {Kind.permutation}
    share = np.mean([found.verdict == "better" for found in drawn])
    assert abs(share - power(8, 1.2)) < 3 * np.sqrt(share * (1 - share) / num)


def test_the_seeds_that_are_said_to_be_needed_do_find_the_effect():
    random, num, found = np.random.default_rng(0), 400, paired([0.4, -0.5, 0.6, 0.1, -0.2, 0.5], Kind.t)
    n = seeds_needed(found)
    ps = [paired(list(random.normal(found.mean, found.sd, n)), Kind.t).p for _ in range(num)]
    share = np.mean(np.array(ps) <= LEVEL)
    assert share >= 0.8 - 3 * np.sqrt(0.8 * 0.2 / num)


def test_a_stricter_level_needs_more_seeds():
    found = paired([0.4, -0.5, 0.6, 0.1, -0.2, 0.5], Kind.t)
    assert seeds_needed(found, LEVEL / 8) > seeds_needed(found)


def test_adjusted_ps_keep_their_order_and_never_shrink():
    ps = np.random.default_rng(0).uniform(0, 0.2, 20)
    adjusted = np.array(holm(list(ps)))
    assert (adjusted >= ps).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(ps)]) >= 0).all()
    assert adjusted.min() == pytest.approx(20 * ps.min())
