"""How long a run still takes, told by a clock that the tests turn."""

import pytest

from sdrun.outlook import Outlook


@pytest.fixture
def outlook():
    """In the first of three stages of 100 steps, which take a second each after a slow start."""
    outlook = Outlook(["a", "b", "c"])
    outlook.begin("a", 0, 100, 1000.0)
    assert outlook.seconds(1000.0) is None
    outlook.reached(10, 1030.0)
    outlook.reached(20, 1040.0)
    return outlook


def test_a_slow_start_does_not_count_and_stages_to_come_do(outlook):
    assert outlook.seconds(1040.0) == 80 + 100 + 100
    assert outlook.seconds(1045.0) == 75 + 100 + 100
    assert outlook.label == "a, stage 1 of 3"


def test_judging_is_told_of_those_to_come_once_it_was_seen(outlook):
    outlook.reached(100, 1120.0)
    outlook.trained(1120.0)
    assert outlook.seconds(1125.0) == 200
    outlook.ended(1130.0)
    assert outlook.seconds(1130.0) == 110 + 110
    outlook.begin("b", 0, 100, 1130.0)
    outlook.reached(50, 1180.0)
    assert outlook.seconds(1180.0) == 50 + 10 + 110
    outlook.trained(1230.0)
    assert outlook.seconds(1234.0) == 6 + 110


def test_a_stage_counts_as_the_latest_that_was_seen(outlook):
    outlook.trained(1120.0)
    outlook.ended(1120.0)
    outlook.begin("b", 0, 100, 1120.0)
    outlook.reached(10, 1140.0)
    assert outlook.seconds(1140.0) == 90 + 100  # at the pace of the one before
    outlook.reached(20, 1160.0)
    assert outlook.seconds(1160.0) == 160 + 200


def test_one_that_goes_on_and_one_that_nobody_named():
    outlook = Outlook(["a"])
    outlook.begin("z", 60, 100, 0.0)
    outlook.reached(60, 1.0)  # a look at the validation split
    outlook.reached(80, 20.0)
    assert outlook.seconds(20.0) == 20
    assert outlook.label == "z, stage 2 of 2"
