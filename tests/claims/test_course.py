"""How many runs a claim needs, and how long they take."""

from collections import Counter

import pytest
from test_verdicts import DECLARED

from sdrun.claims.course import Course, ended, kind
from sdrun.claims.declaration import declaration
from sdrun.storage.sweeps import Command, Job, SweepFolder

LADDER = {"trials": 4, "halving": 2, "lengths": [1.0, 3.0], "tuning_seeds": [100, 101], "seeds": 3, "most_seeds": 5}
GRID = {"grid": {"optim.lr": [0.1, 0.2, 0.3, 0.4]}, "uninformed": None, "labels": None}


@pytest.fixture
def course():
    return Course(declaration({**DECLARED, **LADDER, **GRID}), at_once=2)


def test_runs_are_counted_at_least_and_at_most(course):
    tuning, arms = 2 * 2 * (4 + 2), 4 + 1  # both sides at each length, and the silent one
    assert course.runs(3, is_extended=False).total() == tuning + 3 * arms
    assert course.runs(5, is_extended=True).total() == tuning + 2 + 5 * (arms + 1)
    assert course.told(Counter(), {}) == "39 to 56 in all; --dry-run tells how long"
    course.is_extended, course.num_seeds = False, 5
    assert course.told(Counter(), {}) == "49 in all; --dry-run tells how long"


def test_what_the_method_starts_from_counts():
    claim = declaration({**DECLARED, **LADDER, **GRID, "pretrain": ["method=dino"]})
    assert Course(claim, 1).runs(3, False)["pretrain"] == 2 + 3


def test_how_long_is_known_by_the_side_and_its_length(course):
    took = {"tuning/baseline_x1": [10.0, 20.0], "tuning/method_x1": [30.0]}
    num = Counter({"tuning/baseline_x1": 8, "tuning/method_x1": 8})
    baseline = 4 * 45 + 3 * 15 + 3 * 45
    method = 4 * 90 + 3 * 30 + 3 * 90 + 3 * 90
    course.is_extended, course.claim.most_seeds = False, 3
    assert course.told(num, took) == f"39 in all, about 0:{(baseline + method) // 2 // 60:02}:15 left"
    assert course.told(num, {"tuning/baseline_x1": [10.0]}) == "39 in all; --dry-run tells how long"


def test_runs_that_are_over_are_counted_by_kind(tmp_path):
    folder = SweepFolder.begin(tmp_path, Command([], "/"))
    places = {"tuning/method_x0.5_03/seed_100": "failed", "silent/seed_1": "completed", "method_x1/seed_0": "queued"}
    with folder.updating():
        folder.jobs = {place: Job([], status) for place, status in places.items()}
    (tmp_path / "silent/seed_1").mkdir(parents=True)
    (tmp_path / "silent/seed_1/summary.json").write_text('{"wall_seconds": 7.5}')
    assert ended(folder) == (Counter(["tuning/method_x0.5", "silent"]), {"silent": [7.5]})
    assert kind("tuning/baseline_equal/seed_100") == "tuning/baseline_equal"
