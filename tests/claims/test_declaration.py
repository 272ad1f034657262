"""What a claim asks, what it tries, and what is left out of either."""

import pytest
from test_verdicts import DECLARED

from sdrun.claims.declaration import Contrast, declaration
from sdrun.claims.members import Member, affordable_baseline, best, chosen
from sdrun.claims.trials import num_tuning_runs, rungs, trials
from sdrun.errors import InputError

ALIVE = {"left": "pretrain:dino", "right": "pretrain:untrained", "metric": "test/knn_accuracy"}


def asked(**change):
    return {name: (c.left, c.right) for name, c in declaration({**DECLARED, **change}).questions().items()}


def test_each_control_is_a_question():
    assert asked() == {
        "alive": ("method", "silent"),
        "informed": ("method", "uninformed"),
        "more_than_labels": ("method", "labels"),
        "helps": ("method", "baseline"),
        "equal_compute": ("method", "equal"),
    }
    assert list(asked(labels=None)) == ["alive", "informed", "helps", "equal_compute"]
    assert list(asked(labels=None, uninformed=None)) == ["alive", "helps", "equal_compute"]


def test_what_is_declared_alive_replaces_the_silent_arm():
    questions = declaration({**DECLARED, "silent": None, "alive": ALIVE}).questions()
    assert questions["alive"] == Contrast(**ALIVE)


def test_both_sides_have_as_many_trials_of_one_grid():
    grid = {"method.view": ["weak", "strong"], "optim.lr": [0.05, 0.1, 0.2]}
    claim = declaration({**DECLARED, "grid": grid, "trials": 6, "halving": 3, "lengths": [0.5, 1.0, 3.0]})
    tried = {side: trials(claim, side) for side in ("baseline", "method")}
    assert {side: len(of_side) for side, of_side in tried.items()} == {"baseline": 6, "method": 6}
    assert tried["baseline"][0] == ["method.view=weak", "optim.lr=0.05"]
    assert len({tuple(line) for line in tried["baseline"]}) == 6
    assert {len(line) for line in tried["method"]} == {3}
    assert trials(claim, "method") == tried["method"]
    many = {f"optim.{number}": [0, 1] for number in range(60)}
    assert len(trials(declaration({**DECLARED, "grid": many, "trials": 6}), "baseline")) == 6  # of 2^60 combinations
    assert rungs(claim) == [6, 2, 1]
    assert num_tuning_runs(claim) == 9
    assert num_tuning_runs(declaration({**DECLARED, "tuning_seeds": [100, 101]})) == 6


def test_a_setting_that_is_null_is_not_tuned():
    claim = declaration({**DECLARED, "knobs": {"method.weight": None, "method.temperature": [1, 4]}})
    assert list(claim.axes("method")) == ["optim.lr", "method.temperature"]


def member(name, side, score, cost):
    return Member(name, side, 1.0, "", [], score, cost, {})


TUNED = [member("a", "baseline", 0.8, 10), member("b", "baseline", 0.9, 30), member("c", "method", 0.7, 50)]


def test_the_best_for_a_budget_costs_no_more():
    assert best(TUNED, "baseline").name == "b"
    assert best(TUNED, "baseline", 29).name == "a"
    assert best(TUNED, "baseline", 29.9).name == "b"  # a step more than the budget
    assert best(TUNED, "baseline", 9) is None


@pytest.mark.parametrize(("score", "equal"), [(0.95, "longer"), (0.85, "b")])
def test_longer_training_is_the_baseline_for_as_much_compute_where_it_scores_more(score, equal):
    roles = chosen(TUNED, [member("longer", "baseline", score, 50)])
    assert roles == {"method": "c", "baseline": "b", "equal": equal}


@pytest.mark.parametrize(("cost", "base"), [(50, "b"), (30, "b"), (20, "a"), (5, "a")])
def test_a_baseline_for_as_much_compute_costs_no_more_than_the_method(cost, base):
    tuned = [*TUNED[:2], member("c", "method", 0.7, cost)]
    assert affordable_baseline(tuned).name == chosen(tuned, [])["equal"] == base


@pytest.mark.parametrize("change", [{"metric": ["test/accuracy"]}, {"seeds": "a"}, {"lengths": ["x"]}, {"grid": [1]}])
def test_what_is_of_another_kind_is_refused_by_its_key(change):
    with pytest.raises(InputError, match=f"hydra.sweeper.{next(iter(change))}"):
        declaration({**DECLARED, **change})
