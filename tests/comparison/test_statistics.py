import math

import numpy as np
import pytest
from scipy import stats

from sdrun.comparison.differences import difference
from sdrun.comparison.rendering import confidence
from sdrun.comparison.statistics import LEVEL, by_item, paired, power, seeds_needed
from sdrun.judges.metric import Better, Metric

ACCURACY = Metric("accuracy", Better.higher, "%", "accuracy")


@pytest.mark.parametrize("level", [0.05, 0.05 / 7])
def test_mean_interval_and_p_are_those_of_scipy(level):
    d = [0.3, 0.1, 0.25, -0.05, 0.2]
    pairs, reference = paired(d, level), stats.ttest_1samp(d, 0)
    assert (pairs.p, pairs.n, pairs.mean) == (pytest.approx(reference.pvalue), 5, pytest.approx(0.16))
    assert (pairs.low, pairs.high) == pytest.approx(reference.confidence_interval(1 - level))
    assert pairs.level == level


@pytest.mark.parametrize(
    ("value", "n", "level", "p", "bounds"),
    [
        (0.0, 5, 0.05, 1.0, (0.0, 0.0)),
        (0.25, 5, 0.05, 2 / 32, (-math.inf, math.inf)),
        (0.25, 6, 0.05, 2 / 64, (0.25, 0.25)),
        (-0.25, 6, 0.05, 2 / 64, (-0.25, -0.25)),
        (0.25, 6, 0.025, 2 / 64, (-math.inf, math.inf)),
    ],
)
def test_of_equal_differences_the_signs_are_counted(value, n, level, p, bounds):
    pairs = paired([value] * n, level)
    assert (pairs.mean, pairs.sd, pairs.p, (pairs.low, pairs.high)) == (value, 0.0, p, bounds)
    assert seeds_needed(pairs) is None


def test_a_difference_holds_its_seeds_and_is_corrected_for_its_level():
    own, base = {3: 0.5, 1: 0.75, 2: 0.625, 9: 1.0}, {1: 0.5, 2: 0.5, 3: 0.5, 7: 0.0}
    one, of_four = difference(ACCURACY, own, base), difference(ACCURACY, own, base, LEVEL / 4)
    assert one.by_seed == {1: 0.25, 2: 0.125, 3: 0.0}
    assert list(one.by_seed) == [1, 2, 3]
    assert (one.level, one.adjusted) == (LEVEL, one.paired.p)
    assert of_four.level == LEVEL / 4
    assert of_four.adjusted == pytest.approx(4 * one.paired.p)
    assert of_four.paired.low < one.paired.low
    assert difference(ACCURACY, own, base, LEVEL / 400).adjusted == 1.0


@pytest.mark.parametrize(
    ("num", "name"), [(1, "95 %"), (2, "97.5 %"), (3, "98.33 %"), (8, "99.375 %"), (3000, "99.9983 %")]
)
def test_no_interval_is_called_certain(num, name):
    assert confidence(LEVEL / num) == name


def test_power_is_that_of_drawn_samples():
    random = np.random.default_rng(0)
    ps = stats.ttest_1samp(random.normal(1.0, 1.0, (4000, 8)), 0, axis=1).pvalue
    share = float((ps <= 0.05).mean())
    assert abs(share - power(8, 1.0)) < 3 * np.sqrt(share * (1 - share) / 4000)


def test_seeds_needed_are_the_fewest_that_reach_the_power():
    pairs = paired([0.4, -0.5, 0.6, 0.1, -0.2])
    num = seeds_needed(pairs)
    effect = pairs.mean / pairs.sd
    assert power(num, effect) >= 0.8 > power(num - 1, effect)
    assert seeds_needed(paired([1.0, -1.0, 0.001])) is None
    assert seeds_needed(paired([1.0, 1.1, 0.9])) == 4  # never fewer than there are


def test_two_classifiers_by_item():
    first, second = np.zeros(1000, bool), np.zeros(1000, bool)
    first[:600], second[:550], second[600:630] = True, True, True
    items = by_item(first, second)
    assert (items.first_alone, items.second_alone) == (50, 30)
    assert items.p == pytest.approx(stats.binomtest(50, 80).pvalue)
    error = 1.96 * np.sqrt((80 / 1000 - 0.02**2) / 1000)
    assert (items.low, items.high) == pytest.approx((0.02 - error, 0.02 + error), abs=0.002)


@pytest.mark.parametrize(("alone", "other"), [(0, 0), (0, 5), (6, 0), (9, 2), (10, 2), (30, 14), (31, 14), (7, 7)])
def test_mcnemars_p_and_its_interval_are_those_of_the_binomial_test_and_agree(alone, other):
    first, second = (np.arange(100) < alone), (np.arange(100) >= 100 - other)
    items = by_item(first, second)
    reference = stats.binomtest(alone, max(alone + other, 1))
    assert (items.first_alone, items.second_alone) == (alone, other)
    assert (items.low > 0 or items.high < 0) == (items.p < 0.05)
    if alone + other:
        bounds = reference.proportion_ci()
        assert items.p == pytest.approx(reference.pvalue)
        share = (alone + other) / 100
        assert (items.low, items.high) == pytest.approx((share * (2 * bounds.low - 1), share * (2 * bounds.high - 1)))
    else:
        assert (items.p, items.low, items.high) == (1.0, 0.0, 0.0)
