"""Which thresholds are chosen, against a search by hand."""

import numpy as np
import pytest

from sdrun.methods.layerwise.exits import Confidence
from sdrun.methods.layerwise.policy import Leaving, curve, levels, point, within_budget, within_tolerance

COSTS = [4, 8, 11]
KIND = Confidence.probability


@pytest.fixture
def samples():
    """Deeper exits are better, and all are surer of the right class."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 5, 1000)
    sure = random.exponential(1.5, (1000, 1, 1))
    logits = random.normal(size=(1000, 3, 5)) + sure * np.array([1, 1.3, 1.6])[:, None] * np.eye(5)[labels][:, None]
    return Leaving.of(logits, labels, [1.0, 1.0, 1.0], KIND)


@pytest.fixture
def points(samples):
    return curve(samples, levels(samples, KIND), COSTS)


def test_the_ends_are_the_first_exit_and_the_deepest(samples, points):
    alone = [samples.accuracy(np.full(1000, i)) for i in range(3)]
    assert (points[0].accuracy, points[0].multiply_adds, points[0].shares) == (alone[0], 4, [1, 0, 0])
    assert (points[-1].accuracy, points[-1].multiply_adds, points[-1].shares) == (alone[2], 11, [0, 0, 1])
    assert len(points) > 150


def test_a_point_is_what_a_loop_over_samples_finds(samples):
    hits, cost, where = 0, 0, [0, 0, 0]
    for z, y in zip(samples.logits, samples.labels, strict=True):
        for place in range(3):
            p = np.exp(z[place] - z[place].max())
            if place == 2 or (p / p.sum()).max() >= 0.7:
                hits, cost = hits + (z[place].argmax() == y), cost + COSTS[place]
                where[place] += 1
                break
    found = point(samples, [0.7, 0.7], COSTS)
    assert found.accuracy == pytest.approx(hits / 1000)
    assert found.multiply_adds == pytest.approx(cost / 1000)
    assert found.shares == pytest.approx([n / 1000 for n in where])


@pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.05, 1.0])
def test_within_tolerance_is_the_cheapest_that_keeps_the_accuracy(samples, points, tolerance):
    best = max(p.accuracy for p in points)
    assert best >= samples.accuracy(np.full(1000, 2))
    found = within_tolerance(points, tolerance)
    assert found.accuracy >= best - tolerance - 1e-9
    assert not [p for p in points if p.accuracy >= best - tolerance and p.multiply_adds < found.multiply_adds]
    if tolerance == 1:
        assert found.shares[0] == 1


def test_within_budget_is_the_most_accurate_that_can_be_paid(points):
    found = within_budget(points, 7.0)
    assert found.multiply_adds <= 7
    assert found.accuracy == max(p.accuracy for p in points if p.multiply_adds <= 7)
    assert within_budget(points, 3.9) is None


def test_each_exit_has_its_own_temperature():
    logits = np.random.default_rng(0).normal(size=(4, 2, 3))
    found = Leaving.of(logits, np.zeros(4), [2.0, 0.5], KIND)
    np.testing.assert_allclose(found.logits[:, 0], logits[:, 0] / 2, rtol=1e-6)
    np.testing.assert_allclose(found.logits[:, 1], logits[:, 1] / 0.5, rtol=1e-6)
