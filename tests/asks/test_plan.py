"""How a budget is laid out."""

import pytest
from simulated import declared

from sdrun.asks.plan import FEWEST, Pace, detectable, enough, least, planned, spread, stages
from sdrun.comparison.statistics import POWER, power

SECONDS = {"plain": 10.0, "one": 30.0, "two": 20.0, "three": 40.0}
NAMES = ["one", "two", "three"]


def plan(left, at_once=2, **changed):
    return planned(declared(**changed), NAMES, {"other": "for drift"}, Pace(SECONDS, {}, at_once), left)


def test_more_time_gives_more_of_everything():
    plans = [plan(left) for left in (400, 1200, 3600, 14400, 86400)]
    for poor, rich in zip(plans, plans[1:], strict=False):
        assert len(poor.candidates) <= len(rich.candidates)
        assert poor.lengths[-1] <= rich.lengths[-1]
    assert plans[0].lengths == [1.0]
    assert plans[-1].candidates == NAMES
    assert plans[-1].trials == 12
    assert plans[-1].tuning_seeds == [100, 101]
    assert plans[-1].left_out == {"other": "for drift"}


@pytest.mark.parametrize("left", [400, 700, 1200, 3600, 14400])
def test_a_plan_fits_into_the_time(left):
    one = plan(left)
    assert one.tuning + one.num_seeds * one.pair + one.controls <= left
    assert one.num_seeds >= FEWEST


def test_who_is_left_out_for_want_of_time_is_named():
    assert plan(500).left_out == {"other": "for drift", "three": "the budget"}
    assert plan(200).left_out == {"other": "for drift", "one": "the budget", "three": "the budget"}  # two is cheapest


def test_the_least_is_just_enough():
    needed = least(declared(), NAMES, Pace(SECONDS, {}, 2))
    assert plan(needed + 1e-6)
    assert plan(needed - 1) is None


def test_the_better_half_goes_on_with_a_third_of_the_trials():
    assert stages(5, 12, [1, 3, 9], 3) == [(5, 12, 1), (3, 4, 3), (2, 2, 9)]


def test_what_a_number_of_seeds_finds_is_found_by_about_so_many():
    for num in (3, 5, 20):
        difference = detectable(num, 0.01, 0.04)
        assert power(num, difference / 0.01, 0.04) == pytest.approx(POWER, abs=0.01)
        assert abs(enough(difference, 0.01, 0.04) - num) <= 1
    assert enough(0.0001, 0.01) is None


def test_few_labels_and_few_items_to_test_on_tell_less():
    asked = declared()
    assert spread(asked, 100, 10_000) > spread(asked, 1000, 10_000) == spread(asked, 50_000, 10_000)
    assert spread(asked, 1000, 360) > spread(asked, 1000, 10_000)


def test_what_a_side_starts_from_is_made_once_a_seed():
    alone, started = (
        planned(declared(), ["one"], {}, Pace(SECONDS, starts, 1), 86400) for starts in ({}, {"one": 100.0})
    )
    assert started.tuning - alone.tuning == pytest.approx(1.25 * 2 * 100)
    assert started.pair - alone.pair == pytest.approx(1.25 * 100)


def test_with_many_cores_the_longest_counts():
    assert least(declared(), NAMES, Pace(SECONDS, {}, 64)) >= 1.25 * (20 + 20 + 20)


@pytest.mark.parametrize("trials", [1, 2, 5, 20])
def test_as_many_trials_as_are_asked_for(trials):
    one = plan(86400, trials=trials)
    assert (one.trials, one.candidates) == (trials, NAMES)
