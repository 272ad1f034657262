"""Which labels are wrong, by what models believe that did not see the items."""

import numpy as np
import pytest
import torch
from cleanlab import count, filter

from sdrun.finders import anchors, confident
from sdrun.finders.confident import confident_joint, noise_rate, transitions
from sdrun.methods.refine.audit import Audit, average_precision
from sdrun.methods.refine.settings import Finder


def believed(num=600, num_classes=4, noise=0.3, seed=0):
    """Labels of which some are wrong, what models believe that learned such: [N], [N, K], and the truth [N]."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, num_classes, num)
    wrong = (truth + random.integers(1, num_classes, num)) % num_classes
    labels = np.where(random.random(num) < noise, wrong, truth)
    logits = random.normal(size=(num, num_classes)) + 2.5 * np.eye(num_classes)[truth]
    of_class = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    change = np.eye(num_classes) * (1 - noise) + (1 - np.eye(num_classes)) * noise / (num_classes - 1)
    return labels, of_class @ change, truth


@pytest.mark.parametrize("seed", range(4))
def test_what_is_believed_of_labels_is_what_cleanlab_says(seed):
    labels, beliefs, _ = believed(seed=seed)
    joint = confident_joint(labels, beliefs)
    theirs = count.compute_confident_joint(labels, beliefs)
    assert np.array_equal(joint, theirs)
    assert noise_rate(joint) == pytest.approx(1 - theirs.trace() / theirs.sum())
    _, matrix, _ = count.estimate_latent(theirs, labels)
    assert transitions(joint) == pytest.approx(matrix.T, abs=0.02)


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5])
def test_those_are_suspect_that_cleanlab_finds(noise):
    labels, beliefs, _ = believed(2000, noise=noise)
    is_suspect = Audit("row", np.arange(2000), labels, beliefs, "abcd", Finder.confident).findings.is_suspect
    theirs = filter.find_label_issues(labels, beliefs)
    assert (is_suspect != theirs).sum() <= 2
    assert is_suspect.sum() > 100


@pytest.mark.parametrize("noise", [0.05, 0.2, 0.4])
def test_anchors_tell_how_many_are_wrong_and_which(noise):
    """Where wrong labels all go to the next class, and models believe in labels as they are."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 4000)
    labels = np.where(random.random(4000) < noise, (truth + 1) % 4, truth)
    logits = 2 * (random.normal(size=(4000, 4)) + 3 * np.eye(4)[truth])
    of_class = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    change = (1 - noise) * np.eye(4) + noise * np.roll(np.eye(4), 1, axis=1)
    beliefs = (of_class @ change) ** 0.5  # less sure than they should be
    beliefs /= beliefs.sum(axis=1, keepdims=True)
    ours, theirs = anchors.find(labels, beliefs), confident.find(labels, beliefs)
    is_wrong = truth != labels
    assert ours.noise_rate == pytest.approx(is_wrong.mean(), abs=0.02)
    assert ours.transitions == pytest.approx(change, abs=0.05)
    low, high = ours.noise_interval(0)
    assert low <= ours.noise_rate <= high
    assert high - low < 0.05
    f1 = [2 * (f.is_suspect & is_wrong).sum() / (f.is_suspect.sum() + is_wrong.sum()) for f in (ours, theirs)]
    assert f1[0] > max(0.75, f1[1])
    assert (ours.classes.argmax(axis=1) == truth).mean() > max((beliefs.argmax(axis=1) == truth).mean(), 0.93)


def test_beliefs_are_calibrated_as_the_best_temperature_and_biases_do():
    """By torch's own optimiser, which has no bounds and another way of getting there."""
    labels, beliefs, _ = believed(2000)
    scale, bias = torch.zeros((), requires_grad=True), torch.zeros(4, requires_grad=True)
    logits = torch.as_tensor(beliefs).float().log()
    optimizer = torch.optim.LBFGS([scale, bias], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        told = logits * scale.exp() + bias
        value = torch.nn.functional.cross_entropy(told, torch.as_tensor(labels)) + 1e-3 * bias.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    expected = (logits * scale.exp() + bias).softmax(dim=1).detach().numpy()
    assert anchors.calibrated(labels, beliefs) == pytest.approx(expected, abs=2e-3)


def test_the_classes_behind_beliefs_in_labels_are_found():
    random = np.random.default_rng(0)
    classes = random.dirichlet(np.ones(4), 50)
    change = 0.7 * np.eye(4) + 0.3 / 3 * (1 - np.eye(4))
    even = np.full((50, 4), 0.25)
    found = anchors.behind(classes @ change, change, even, 5000)
    assert found == pytest.approx(classes, abs=0.01)


def test_a_class_that_nobody_has_is_never_believed():
    labels, beliefs, _ = believed()
    joint = confident_joint(np.minimum(labels, 2), beliefs)
    assert joint[:, 3].sum() == joint[3].sum() == 0


def test_precision_is_averaged_over_the_wrong():
    is_wrong, places = np.array([True, False, True, False]), np.array([1, 2, 3, 4])
    assert average_precision(is_wrong, places) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("finder", list(Finder))
def test_an_audit_without_wrong_labels_claims_no_recall(finder):
    labels, beliefs, _ = believed(noise=0)
    audit = Audit("row", np.arange(600), labels, beliefs, "abcd", finder)
    metrics = audit.metrics(labels, 0)
    assert "labels/recall" not in metrics
    assert metrics["labels/noise_rate_low"] <= metrics["labels/noise_rate"] <= metrics["labels/noise_rate_high"]
    assert metrics["labels/noise_rate"] < 0.1
    assert "labels look clean" in audit.summary[-1]
