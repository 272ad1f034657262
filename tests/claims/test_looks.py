"""Claims that are looked at again and again are wrong no more often than their level says."""

import runpy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sdrun.claims.looks import GROWTH, levels, looks
from sdrun.comparison.statistics import LEVEL

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "scripts/simulate_claims.py"))
simulated = SCRIPT["simulated"]
NUM = 10_000


@pytest.mark.parametrize(("first", "most"), [(3, 3), (5, 6), (5, 8), (5, 20), (4, 100)])
def test_looks_start_and_end_where_they_should_and_spend_the_level(first, most):
    numbers = looks(first, most)
    assert (numbers[0], numbers[-1]) == (first, most)
    assert all(one < other <= round(GROWTH * one) + 1 for one, other in pairwise(numbers))
    assert sum(levels(numbers, 0.02)) == pytest.approx(0.02)


def test_without_an_effect_a_difference_is_shown_in_no_more_claims_than_the_level():
    outcomes, _ = simulated([0.0] * 5, NUM, 5, 20, margin=0.0)
    shown = (outcomes != 0).any(axis=1).mean()
    assert 0.02 < shown <= LEVEL


def test_an_effect_of_the_margin_is_not_called_none():
    outcomes, _ = simulated([1.5] * 5, NUM, 5, 20, margin=1.5)
    assert 0.002 < (outcomes == 2).any(axis=1).mean() <= LEVEL / 2


def test_looks_at_the_full_level_each_would_be_wrong_too_often(monkeypatch):
    monkeypatch.setitem(simulated.__globals__, "levels", lambda numbers, level: [level] * len(numbers))
    outcomes, _ = simulated([0.0] * 5, NUM, 5, 20, margin=0.0)
    assert (outcomes != 0).any(axis=1).mean() > LEVEL


def test_larger_effects_need_fewer_seeds():
    means = []
    for effect in (0.5, 1.0, 2.0, 4.0):
        outcomes, seeds = simulated([effect] * 5, 2_000, 5, 20, margin=0.1)
        assert (outcomes == -1).mean() < 0.001
        means.append(seeds.mean())
    assert means == sorted(means, reverse=True)
    assert np.mean(seeds == 5) > 0.5
