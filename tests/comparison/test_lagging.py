"""What is judged may be an average that is far from the student."""

import pytest
from folders import made_run

from sdrun.comparison.compare import compare
from sdrun.comparison.declared import EARLIER
from sdrun.comparison.folders import find
from sdrun.comparison.lagging import key_of_student, lag
from sdrun.comparison.rendering import notes
from sdrun.judges.metric import lookup


def runs(folder, judged, student, key="test/accuracy", **settings):
    for seed in range(3):
        metrics = {key: judged + seed / 1024, key_of_student(key): student and student + seed / 1024}
        made_run(folder / f"{seed}", seed, method="mean_teacher", metrics=metrics, **settings)
    return {run.seed: run for run in find([str(folder)]).finished}


def of(members, key="test/accuracy"):
    return lag(members, key, lookup(key, EARLIER))


def test_an_average_that_lags_is_told_beside_its_label(tmp_path):
    runs(tmp_path, 0.812, 0.834, method__momentum=0.999)
    words = (
        "mean_teacher: what is judged is the average of the student's weights, 81.30; "
        "the student itself has 83.50 (+2.20): see method.momentum"
    )
    result = compare(find([str(tmp_path)]), ["test/nll"], None, [])
    assert words in notes(result)


@pytest.mark.parametrize(
    ("key", "judged", "student", "is_far"),
    [
        ("test/accuracy", 0.8, 0.8117, True),
        ("test/accuracy", 0.8, 0.8078, False),
        ("test/accuracy", 0.8117, 0.8, True),
        ("test/nll", 0.5, 0.4687, True),
        ("test/nll", 0.5, 0.4844, False),
    ],
)
def test_a_point_or_a_twentieth_is_far(tmp_path, key, judged, student, is_far):
    assert of(runs(tmp_path, judged, student, key), key).is_far is is_far


@pytest.mark.parametrize(
    ("key", "judged", "student", "is_hinted"),
    [
        ("test/accuracy", 0.8, 0.9, True),
        ("test/accuracy", 0.9, 0.8, False),
        ("test/nll", 0.5, 0.25, True),
        ("test/nll", 0.25, 0.5, False),
    ],
)
def test_the_momentum_is_named_where_the_average_is_behind(tmp_path, key, judged, student, is_hinted):
    members = runs(tmp_path, judged, student, key, method__momentum=0.99)
    assert ("see method.momentum" in str(of(members, key))) is is_hinted


def test_no_setting_is_named_that_is_not_there(tmp_path):
    assert "method.momentum" not in str(of(runs(tmp_path, 0.8, 0.9)))


def test_where_the_student_is_what_is_judged_nothing_is_told(tmp_path):
    assert of(runs(tmp_path, 0.8, None)) is None
