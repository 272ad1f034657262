"""What labels seem to be, by how they are given to the items that models are surest of. Imports no torch.

Models that learned labels of which some are wrong believe in labels, not in classes: ``q(label) = p(class) T``. Beliefs
are calibrated on the given labels, which none of these models saw; ``T`` is how the items that they are surest of are
labelled (anchor points, Patrini et al. 2017, 1609.03683); then ``p`` and, by Bayes' rule, what each item is.
"""

import numpy as np

from sdrun.finders.findings import Findings, ranked, resampled

SUREST = 0.25
"""The surest share of items: of those that seem to be of a class, which anchor it, or of all."""
FEWEST = 20
"""Anchors of a class."""
STEPS, FURTHER = 100, 5
"""Of finding the classes behind beliefs in labels, at first and where nearly the same have been found."""
SAMPLES = 40
"""Of items, to tell how sure the share of wrong labels is."""


def find(labels: np.ndarray, beliefs: np.ndarray) -> Findings:
    """labels: [N]; beliefs: probabilities [N, K] of models that did not see the item."""
    trusted = calibrated(labels, beliefs)
    given_of_true = transitions(labels, trusted)
    before = behind(trusted, given_of_true, np.full_like(trusted, 1 / trusted.shape[1]), STEPS)
    classes = after(labels, before, given_of_true)
    right = _of(labels, classes)

    def rate(rows: np.ndarray) -> float:
        resampled_transitions = transitions(labels[rows], trusted[rows])
        near = behind(trusted[rows], resampled_transitions, before[rows], FURTHER)
        return float(1 - _of(labels[rows], after(labels[rows], near, resampled_transitions)).mean())

    return Findings(
        right < 0.5,
        ranked(right),
        classes,
        float(1 - right.mean()),
        given_of_true,
        lambda seed: resampled(rate, len(labels), seed, SAMPLES),
    )


def calibrated(labels: np.ndarray, beliefs: np.ndarray) -> np.ndarray:
    """Beliefs [N, K] as sure as they are right of the given labels, by a temperature and a bias of each class."""
    from scipy.optimize import minimize

    logits, rows, num_classes = np.log(beliefs.clip(min=1e-12)), np.arange(len(labels)), beliefs.shape[1]

    def tempered(chosen: np.ndarray) -> np.ndarray:
        scores = logits * np.exp(chosen[0]) + chosen[1:]
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def loss(chosen: np.ndarray) -> tuple[float, np.ndarray]:
        """In nats, with a little that keeps biases small, and its gradient."""
        ours = tempered(chosen)
        value = -np.log(ours[rows, labels].clip(min=1e-300)).mean() + 1e-3 * (chosen[1:] ** 2).sum()
        ours[rows, labels] -= 1
        slope = (ours * logits).sum() * np.exp(chosen[0]) / len(labels)
        return value, np.r_[slope, ours.mean(axis=0) + 2e-3 * chosen[1:]]

    bounds = [(-3.0, 3.0)] + [(-5.0, 5.0)] * num_classes
    return tempered(minimize(loss, np.zeros(num_classes + 1), jac=True, method="L-BFGS-B", bounds=bounds).x)


def transitions(labels: np.ndarray, trusted: np.ndarray) -> np.ndarray:
    """How the surest items of each class (row) are labelled (columns) [K, K].

    As many items as there are classes are added, as wrong as those and wrong in no direction: what has not been seen is
    not impossible.
    """
    num_classes, seems = trusted.shape[1], trusted.argmax(axis=1)
    shares = np.empty((num_classes, num_classes))
    for label in range(num_classes):
        order = np.argsort(-trusted[:, label], kind="stable")
        num = max(FEWEST, round(SUREST * (seems == label).sum()))
        counts = np.bincount(labels[order[:num]], minlength=num_classes).astype(np.float64)
        right = counts[label] / counts.sum()
        even = np.full(num_classes, (1 - right) / (num_classes - 1))
        even[label] = right
        shares[label] = (counts + num_classes * even) / (counts.sum() + num_classes)
    return shares


def behind(trusted: np.ndarray, given_of_true: np.ndarray, first: np.ndarray, steps: int) -> np.ndarray:
    """The classes [N, K] of which labels would be believed so: ``min_p KL(trusted || p T)``, by multiplicative steps
    from the ``first`` ones.
    """
    classes = first
    for _ in range(steps):
        classes = classes * ((trusted / (classes @ given_of_true).clip(min=1e-12)) @ given_of_true.T)
        classes = classes / classes.sum(axis=1, keepdims=True).clip(min=1e-300)
    return classes


def after(labels: np.ndarray, classes: np.ndarray, given_of_true: np.ndarray) -> np.ndarray:
    """The chances [N, K] of what items are by Bayes' rule, from those before their ``labels`` [N] were known."""
    joint = classes * given_of_true[:, labels].T
    return np.asarray(joint / joint.sum(axis=1, keepdims=True).clip(min=1e-300))


def _of(labels: np.ndarray, chances: np.ndarray) -> np.ndarray:
    return np.asarray(chances[np.arange(len(labels)), labels])
