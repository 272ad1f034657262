"""The words of a comparison, and what the reader is told beside them."""

import pytest
from folders import made_run

from sdrun.comparison.compare import compare
from sdrun.comparison.declared import EARLIER
from sdrun.comparison.folders import find
from sdrun.comparison.rendering import notes
from sdrun.judges.metric import lookup

NOISE = [0.0, 0.02, -0.01, 0.03, -0.02, 0.01, -0.03]


def against(folder, differences, **more):
    """A baseline of one seed a difference, and runs that differ from it by these."""
    for seed, gain in enumerate(differences):
        made_run(folder / f"a{seed}", seed, 0.5 + seed / 64)
        made_run(folder / f"b{seed}", seed, 0.5 + seed / 64 + gain, method="cs_kd", **more)
    return compare(find([str(folder)]), ["test/accuracy"], None, [])


def verdict(result):
    (row,) = [row for row in result.rows if row.baseline]
    return row.differences["test/accuracy"].verdict


@pytest.mark.parametrize(("gain", "word"), [(0.125, "better"), (-0.125, "worse")])
def test_a_clear_difference_is_named_by_its_side(tmp_path, gain, word):
    assert verdict(against(tmp_path, [gain + noise for noise in NOISE])) == word


def test_equal_runs_are_called_equal(tmp_path):
    assert verdict(against(tmp_path, [0.0] * 5)) == "equal in all 5 seeds"


def test_a_tiny_difference_would_need_more_than_a_thousand_seeds(tmp_path):
    gains = [0.0501, -0.05, 0.05, -0.05, 0.03, -0.03]
    assert verdict(against(tmp_path, gains)) == "cannot tell with 6 seeds; more than 1,000 would be needed"


def test_the_same_difference_in_few_seeds_does_not_need_a_thousand(tmp_path):
    """Six pairs of one sign reach p = 0.03."""
    assert "more than 1,000" not in verdict(against(tmp_path, [0.125] * 5))


def test_the_same_difference_in_six_seeds_is_found(tmp_path):
    assert verdict(against(tmp_path, [0.125] * 6)) == "better"


def test_the_test_is_named(tmp_path):
    told = "\n".join(notes(against(tmp_path, NOISE)))
    assert "paired by seed, their intervals by t" in told
    assert "The verdict is that of test/accuracy, whose interval is one of 95 %." in told


@pytest.mark.parametrize(
    ("metric", "side"),
    [
        ("test/accuracy", True),
        ("generation_1:test/exit_1/accuracy", True),
        ("test/nll_calibrated", False),
        ("test/ece", False),
        ("test/brier", False),
        ("val/temperature", None),
        ("test/agreement", None),
        ("unlabelled/pseudo_label_accuracy/T-shirt", True),
        ("model/exit_1/multiply_adds", False),
        ("test/full_milliseconds_batch_64", False),
        ("test/precedence", None),
    ],
)
def test_of_earlier_runs_it_is_known_whether_more_is_better(metric, side):
    assert lookup(metric, EARLIER).is_better(0.1) is side
    assert lookup(metric, EARLIER).is_better(-0.1) is (None if side is None else not side)


def test_a_metric_without_a_side_is_higher_or_lower(tmp_path):
    for seed, noise in enumerate(NOISE):
        made_run(tmp_path / f"a{seed}", seed, metrics={"test/agreement": 0.5})
        made_run(tmp_path / f"b{seed}", seed, method="cs_kd", metrics={"test/agreement": 0.7 + noise})
    result = compare(find([str(tmp_path)]), None, None, [], "test/agreement")
    assert next(row for row in result.rows if row.baseline).differences["test/agreement"].verdict == "higher"
