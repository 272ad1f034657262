"""What is said of a difference in plain English."""

import pytest
from folders import made_run

from sdrun.comparison.differences import difference
from sdrun.comparison.runs import read
from sdrun.comparison.sentences import price, sentence
from sdrun.judges.metric import Better, Metric

ACCURACY = Metric("accuracy", Better.higher, "%", "accuracy")
NLL = Metric("nll", Better.lower, "", "NLL")
LATENCY = Metric("latency", Better.lower, "ms", "latency")
AGREEMENT = Metric("agreement", Better.neither, "%", "agreement")
UNDECLARED = Metric("test/odd")


def told(metric, gains, **more):
    base = {seed: 0.5 + seed / 64 for seed in range(len(gains))}
    own = {seed: base[seed] + gain for seed, gain in enumerate(gains)}
    return sentence("a", "b", difference(metric, own, base), **more)


UP, DOWN, NOISE = [0.031, 0.03, 0.033], [-0.031, -0.03, -0.033], [0.01, -0.012, 0.004, 0.001]


@pytest.mark.parametrize(
    ("metric", "gains", "words"),
    [
        (ACCURACY, UP, "a is better than b by 2.8 to 3.5 points of accuracy, 3 seeds"),
        (ACCURACY, DOWN, "a is worse than b by 2.8 to 3.5 points of accuracy, 3 seeds"),
        (NLL, DOWN, "a is better than b: NLL is lower by 0.03 to 0.04, 3 seeds"),
        (NLL, UP, "a is worse than b: NLL is higher by 0.03 to 0.04, 3 seeds"),
        (LATENCY, DOWN, "a is better than b: latency is lower by 0.03 to 0.04 ms, 3 seeds"),
        (AGREEMENT, UP, "a differs from b: agreement is higher by 2.8 to 3.5 points, 3 seeds"),
        (AGREEMENT, DOWN, "a differs from b: agreement is lower by 2.8 to 3.5 points, 3 seeds"),
        (UNDECLARED, UP, "a differs from b: test/odd is higher by 0.03 to 0.04, 3 seeds"),
        (
            ACCURACY,
            NOISE,
            "a cannot be told from b: -1.4 to +1.6 points of accuracy, 4 seeds; more than 1,000 would be needed",
        ),
        (NLL, NOISE, "a cannot be told from b: -0.01 to +0.02 in NLL, 4 seeds; more than 1,000 would be needed"),
        (
            LATENCY,
            NOISE,
            "a cannot be told from b: -0.01 to +0.02 ms of latency, 4 seeds; more than 1,000 would be needed",
        ),
        (ACCURACY, [0.031, 0.01, -0.01], "a cannot be told from b: -4.1 to +6.1 points of accuracy, 3 seeds; about 33"),
        (ACCURACY, [0.0] * 4, "a and b have the same accuracy in all 4 seeds"),
        (ACCURACY, [0.125] * 6, "a is better than b by 12.5 points of accuracy, 6 seeds"),
        (
            ACCURACY,
            [0.125] * 5,
            "a cannot be told from b: +12.5 points of accuracy in each of 5 seeds; a few more would",
        ),
    ],
)
def test_each_outcome_has_its_words(metric, gains, words):
    assert told(metric, gains).startswith(words)


@pytest.mark.parametrize("shrunk", [1, 1e-2, 1e-3, 1e-4])
def test_bounds_are_never_rounded_to_zero_or_to_each_other(shrunk):
    low, _, high = told(ACCURACY, [shrunk * gain for gain in UP]).split(" by ")[1].split(" points")[0].partition(" to ")
    assert 0 < float(low) < float(high)


@pytest.mark.parametrize(
    ("gains", "margin", "words"),
    [
        (NOISE, 0.02, "a differs from b by less than 2.0 points of accuracy (-1.4 to +1.6, 4 seeds), which was decl"),
        (NOISE, 0.015, "a cannot be told from b"),
        (UP, 0.05, "a differs from b by less than 5.0 points of accuracy (+2.8 to +3.5, 3 seeds), which was decl"),
        (UP, 0.03, "a is better than b"),
        ([0.125] * 5, 0.2, "a cannot be told from b"),
        ([0.0] * 4, 0.02, "a and b have the same accuracy"),
    ],
)
def test_what_lies_within_the_margin_was_declared_not_to_matter(gains, margin, words):
    assert told(ACCURACY, gains, margin=margin).startswith(words)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (5.0, "; it costs 5.0 times the compute"),
        (0.25, "; it costs 0.25 times the compute"),
        (0.004, "; it costs 0.004 times the compute"),
        (1.04, "; it costs 1.04 times the compute"),
        (1.001, "; it costs as much compute"),
        (None, ", 3 seeds"),
    ],
)
def test_the_price_is_told(ratio, words):
    assert told(ACCURACY, UP, price=ratio).endswith(words)


def test_another_title_is_taken():
    assert "points of val/accuracy" in told(ACCURACY, UP, title="val/accuracy")


def test_the_price_is_that_of_training_where_all_of_it_is_at_hand(tmp_path):
    base = {0: read(made_run(tmp_path / "a", 0))}
    for name, amount in (("double", 2000), ("none", 0), ("infinite", float("inf")), ("huge", 10**400)):
        run = read(made_run(tmp_path / name, 0))
        run.summary["compute"]["multiply_adds"] = amount
        assert price({0: run}, base) == (2.0 if name == "double" else None), name
    started = {0: read(made_run(tmp_path / "started", 0, init_from="elsewhere"))}
    assert price(started, base) is None
    assert price(base, started) is None
    assert price({}, base) is None
