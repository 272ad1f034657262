"""When an ask is looked at, what is asked of its paired seeds, and how often that is wrong."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from simulated import drawn

from sdrun.asks.deciding import Look, further
from sdrun.comparison.statistics import LEVEL

SCRIPT = Path(__file__).parents[2] / "scripts/simulate_asks.py"
LOOKS = [Look(4, 0.8)]
PLAIN, NOW = [0.80, 0.81, 0.79, 0.80], [0.70, 0.72, 0.69, 0.71]
BETTER, SAME, WORSE = [0.85, 0.865, 0.84, 0.852], [0.8004, 0.8107, 0.7902, 0.8005], [0.76, 0.765, 0.75, 0.762]


def test_however_often_a_budget_is_added_the_level_is_not_spent():
    looks: list[Look] = []
    for most in (5, 9, 10, 30, 50):
        before = list(looks)
        looks += further(looks, 5, most)
        assert [look.num for look in looks] == sorted({look.num for look in looks})
        assert looks[: len(before)] == before
        assert looks[-1].num == most
        assert sum(look.share for look in looks) < 1


def test_a_winner_is_better_and_what_is_asked_next_waits_for_it():
    state = drawn(
        LOOKS, ["good", "bad"], {"good_silent": 4}, plain=PLAIN, now=NOW, good=BETTER, bad=WORSE, good_silent=PLAIN
    )
    assert (state.winner, state.open) == ("good", [])
    assert state.is_decided
    assert state.improved
    assert state.improved.is_better
    assert list(state.further("good")) == ["good_silent", "beside"]

    none = drawn(LOOKS, ["bad"], plain=PLAIN, bad=WORSE)
    assert (none.winner, none.is_decided) == (None, True)
    assert none.improved is None


def test_a_control_that_does_as_well_ends_what_is_asked():
    arms = {"plain": PLAIN, "good": BETTER, "good_silent": BETTER[::-1], "good_uninformed": PLAIN}
    state = drawn(LOOKS, ["good"], {"good_silent": 4, "good_uninformed": 4}, **arms)
    assert list(state.further("good")) == ["good_silent"]


def test_a_control_counts_when_all_its_seeds_are_there():
    arms = {"plain": PLAIN, "good": BETTER, "good_silent": PLAIN[:3]}
    assert drawn(LOOKS, ["good"], {"good_silent": 4}, **arms).further("good")["good_silent"].difference is None
    assert drawn(LOOKS, ["good"], None, **arms).further("good") == {}  # nor is anything asked behind them


def test_a_winner_is_decided_where_it_is_at_equal_compute_as_well():
    open_still = drawn(LOOKS, ["good"], plain=PLAIN, good=BETTER, good_equal=[0.84, 0.86, 0.80, 0.86])
    assert open_still.winner == "good"
    assert not open_still.is_decided
    assert open_still.further("good") == {}
    assert drawn(LOOKS, ["good"], plain=PLAIN, good=BETTER, good_equal=PLAIN).is_decided


def test_a_difference_that_does_not_matter_is_an_answer():
    state = drawn(LOOKS, ["same"], plain=PLAIN, same=SAME)
    assert state.helps["same"].is_same
    assert state.is_decided


def test_seeds_that_are_not_whole_are_not_looked_at():
    assert drawn([Look(5, 0.8)], ["good"], plain=PLAIN, good=BETTER).helps["good"].difference is None
    assert not drawn([], ["good"], plain=PLAIN, good=BETTER).is_decided


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("simulate_asks", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("budgets", "num_finalists"), [([5], 1), ([5, 8], 2)])
def test_of_methods_that_do_nothing_seldom_anything_is_said(script, budgets, num_finalists):
    rng, num = np.random.default_rng(num_finalists), 250
    false = sum(bool(script.statements(script.simulated(rng, [0.0] * 4, budgets, num_finalists))) for _ in range(num))
    assert false / num <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / num)


def test_what_helps_much_is_found(script):
    rng = np.random.default_rng(3)
    ended = [script.simulated(rng, [4.0, 0.0, 0.0], [8]) for _ in range(40)]
    assert np.mean([state.winner == "method_0" for state in ended]) > 0.9
