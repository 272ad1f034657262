"""Claims that are looked at again and again are wrong no more often than their level says."""

import runpy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from test_verdicts import claim, verdicts

from sdrun.claims.folder import ClaimFolder
from sdrun.claims.looks import GROWTH, levels, looks
from sdrun.claims.verdicts import Judged, judged
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


def test_what_is_simulated_is_what_claims_do(tmp_path, monkeypatch):
    """The script decides many claims at once; the answers of a claim must be the same."""
    effects = [0.0, 0.6, -1.2, 0.3, 2.5]
    differences = SCRIPT["drawn"](effects, 40, 8, 0) / 100
    outcomes, seeds = SCRIPT["ended"](differences, 5, 0.01)
    sides = ("silent", "uninformed", "labels", "baseline", "equal")  # in the order of the questions
    folder = ClaimFolder.open(claim(tmp_path / "c"))
    letters = {0: "?", 1: "+", -1: "-", 2: "="}
    for number in range(len(differences)):

        def values(self, side, metric, num=None, of_claim=differences[number]):
            column = sides.index(side) if side in sides else None
            return {s: 0.0 if column is None else -of_claim[s, column] for s in range(8 if num is None else num)}

        monkeypatch.setattr(Judged, "values", values)
        (one,) = judged([folder])
        expected = [letters[outcome] for outcome in outcomes[number]]
        assert list(verdicts(one).values())[-2:] == expected[-2:]
        if seeds[number] == 8:
            assert list(verdicts(one).values()) == expected
    assert {letter for row in outcomes for letter in row} == {0, 1, -1, 2}
