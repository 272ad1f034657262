from itertools import product

import numpy as np
import pytest
from scipy import stats

from sdrun.comparison.differences import correct, difference
from sdrun.comparison.statistics import Test as Kind
from sdrun.comparison.statistics import by_item, choose_test, holm, paired, power, seeds_needed
from sdrun.judges.metric import Better, Metric


def test_mean_interval_and_t_are_those_of_scipy():
    d = [0.3, 0.1, 0.25, -0.05, 0.2]
    found, known = paired(d, Kind.t), stats.ttest_1samp(d, 0)
    assert (found.p, found.n, found.mean) == (pytest.approx(known.pvalue), 5, pytest.approx(0.16))
    assert (found.low, found.high) == pytest.approx(known.confidence_interval(0.95))


def test_the_exact_p_is_that_of_all_changes_of_sign():
    d = np.array([0.3, 0.1, 0.25, -0.05, 0.2, 0.4])
    means = [abs(np.mean(d * signs)) for signs in product((-1, 1), repeat=6)]
    expected = np.mean(np.array(means) >= abs(d.mean()) - 1e-12)
    assert paired(list(d), Kind.permutation).p == pytest.approx(expected)


def test_the_exact_test_is_used_where_it_can_tell():
    assert choose_test(5, 1) is Kind.t
    assert choose_test(6, 1) is Kind.permutation
    assert choose_test(6, 4) is Kind.t
    assert choose_test(12, 4) is Kind.permutation
    assert choose_test(13, 1) is Kind.t


@pytest.mark.parametrize(("value", "p"), [(0.0, 1.0), (0.2, 2 / 32)])
def test_equal_differences_give_numbers(value, p):
    found = paired([value] * 5, Kind.t)
    assert (found.mean, found.sd, found.p) == (pytest.approx(value), 0.0, p)
    assert seeds_needed(found) is None


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_power_is_that_of_drawn_samples():
    random = np.random.default_rng(0)
    ps = stats.ttest_1samp(random.normal(1.0, 1.0, (4000, 8)), 0, axis=1).pvalue
    share = float((ps <= 0.05).mean())
    assert abs(share - power(8, 1.0)) < 3 * np.sqrt(share * (1 - share) / 4000)


def test_seeds_needed_are_the_fewest_that_reach_the_power():
    found = paired([0.4, -0.5, 0.6, 0.1, -0.2], Kind.t)
    num = seeds_needed(found)
    effect = found.mean / found.sd
    assert power(num, effect) >= 0.8 > power(num - 1, effect)
    assert seeds_needed(paired([1.0, -1.0, 0.001], Kind.t)) is None
    assert seeds_needed(paired([1.0, 1.1, 0.9], Kind.t)) == 4  # never fewer than there are


def test_two_classifiers_by_item():
    first, second = np.zeros(1000, bool), np.zeros(1000, bool)
    first[:600], second[:550], second[600:630] = True, True, True
    found = by_item(first, second)
    assert (found.first_alone, found.second_alone) == (50, 30)
    assert found.p == pytest.approx(stats.binomtest(50, 80).pvalue)
    error = 1.96 * np.sqrt((80 / 1000 - 0.02**2) / 1000)
    assert (found.low, found.high) == pytest.approx((0.02 - error, 0.02 + error), abs=0.002)
    assert by_item(first, first).p == 1.0


@pytest.mark.parametrize("n", [5, 8])
def test_false_claims_are_as_rare_as_stated(n):
    """Four comparisons of noise with one baseline: seldom does any of them look like something."""
    random, num = np.random.default_rng(n), 600
    false = sum(any(found.adjusted <= 0.05 for found in drawn(random, n, [0.0] * 4)) for _ in range(num))
    assert false / num <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / num)


def test_a_known_effect_is_found_as_often_as_predicted():
    random, num, n, effect = np.random.default_rng(0), 600, 5, 2.0
    found = sum(drawn(random, n, [effect])[0].adjusted <= 0.05 for _ in range(num)) / num
    assert abs(found - power(n, effect)) < 3 * np.sqrt(found * (1 - found) / num)


def drawn(random: np.random.Generator, n: int, effects: list[float]) -> list:
    """Differences from one baseline, each of ``effect`` standard deviations of a difference, corrected together."""
    base = dict(enumerate(random.normal(0.8, 0.01, n)))
    others = [{s: base[s] + 0.01 * (effect + random.normal()) for s in base} for effect in effects]
    differences = [difference(Metric("accuracy", Better.higher), other, base, len(effects)) for other in others]
    correct(differences)
    return differences
