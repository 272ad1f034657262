"""What is best without distillation, by one step and by two, all chosen by validation. Imports no torch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sdrun.linear.spectrum import Spectrum, best_alpha, distilled, student

ALPHAS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
LEAST_PENALTY, MOST_PENALTY, PENALTIES = 1e-4, 1e2, 19
"""In variances of a standardised feature."""
NUM_PLAIN = PENALTIES * len(ALPHAS) ** 2
"""Penalties without a step: as many as two steps have settings."""
PLAIN, ONE, TWO, SHUFFLED = "plain", "one step", "two steps", "one step, shuffled"
KINDS = (PLAIN, ONE, TWO, SHUFFLED)


@dataclass(frozen=True)
class Items:
    """Features [N, F], the classes [N] that are learned or asked for, and those [N] that are right."""

    features: np.ndarray
    labels: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Best:
    """Of one kind and seed, on the test set: the accuracy of what validation found the most accurate, which has this
    ``penalty`` and ``alphas``, and the error of what it found the nearest.
    """

    accuracy: float
    error: float
    penalty: float
    alphas: tuple[float, ...]


@dataclass(frozen=True)
class Trial:
    """One seed: ``best`` by kind; of one step ``errors`` [P, A] on the validation split at each penalty and alpha, and
    by ``theory`` [P] the best alpha at each penalty.
    """

    best: dict[str, Best]
    errors: np.ndarray
    theory: np.ndarray


def penalties(num: int) -> np.ndarray:
    return np.geomspace(LEAST_PENALTY, MOST_PENALTY, num)


def search(train: Items, validation: Items, test: Items, num_classes: int, seed: int) -> Trial:
    """Solve all, and choose by validation: accuracy, and the error, which is the squared distance to the labels that
    items have in expectation. Plain regression has as many penalties to choose from as two steps have settings.
    """
    given_of_true = _transitions(train, num_classes)
    problem = _Problem(train, validation, num_classes, given_of_true)
    shuffled = np.random.default_rng(seed).permutation(len(train.labels))
    coarse = penalties(PENALTIES)
    candidates: dict[str, list[tuple[np.ndarray, float, tuple[float, ...]]]] = {
        PLAIN: [(problem.of(own), p, ()) for p, own in problem.students(penalties(NUM_PLAIN))],
        ONE: [(problem.of(distilled(own, own, a)), p, (a,)) for p, own in problem.students(coarse) for a in ALPHAS],
        TWO: [
            (problem.of(distilled(own, distilled(own, own, first), second)), p, (first, second))
            for p, own in problem.students(coarse)
            for first in ALPHAS
            for second in ALPHAS
        ],
        SHUFFLED: [
            (problem.by_another(own, a, shuffled), p, (a,)) for p, own in problem.students(coarse) for a in ALPHAS
        ],
    }
    best, errors = dict[str, Best](), list[float]()
    tested = _Judged(problem, test, given_of_true)
    for kind, tried in candidates.items():
        scores = [problem.judged(weights) for weights, _, _ in tried]
        nearest = min(range(len(tried)), key=lambda place: scores[place][1])
        right = max(range(len(tried)), key=lambda place: (scores[place][0], -scores[place][1]))
        weights, penalty, alphas = tried[right]
        best[kind] = Best(tested(weights)[0], tested(tried[nearest][0])[1], penalty, alphas)
        if kind == ONE:
            errors = [error for _, error in scores]
    return Trial(best, np.reshape(errors, (PENALTIES, len(ALPHAS))), problem.theory(coarse))


class _Judged:
    """Accuracy and error of weights [D, K] of a problem on other items."""

    def __init__(self, problem: "_Problem", items: Items, given_of_true: np.ndarray) -> None:
        self.along = problem.spectrum.along(items.features)
        self.truth, self.expected, self.mean = items.truth, given_of_true[items.truth], problem.mean

    def __call__(self, weights: np.ndarray) -> tuple[float, float]:
        answers = self.along @ weights + self.mean
        is_right = answers.argmax(axis=1) == self.truth
        return float(is_right.mean()), float(((answers - self.expected) ** 2).sum(axis=1).mean())


class _Problem:
    """What is learned from ``train`` by any filter, ``judged`` on the validation split.

    ``weights`` [D, K]: without a penalty; ``heights`` [D] of the expected labels, and ``noise`` of a label around it:
    see ``best_alpha``.
    """

    def __init__(self, train: Items, validation: Items, num_classes: int, given_of_true: np.ndarray) -> None:
        targets = np.eye(num_classes)[train.labels]
        self.mean = targets.mean(axis=0)
        self.spectrum = Spectrum.of(train.features)
        self.along = self.spectrum.along(train.features)
        self.weights = self.spectrum.fitted(self.along, targets - self.mean)
        self.judged = _Judged(self, validation, given_of_true)
        expected = given_of_true[train.truth]
        self.heights = self.spectrum.heights(self.along, expected - expected.mean(axis=0))
        self.noise = float((expected * (1 - expected)).sum(axis=1).mean() / len(train.labels))

    def students(self, penalties: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """Penalties, and the filter that each has."""
        return ((float(penalty), student(self.spectrum.variances, penalty)) for penalty in penalties)

    def of(self, learned: np.ndarray) -> np.ndarray:
        """The weights [D, K] of a filter."""
        return np.asarray(learned[:, None] * self.weights)

    def by_another(self, own: np.ndarray, alpha: float, order: np.ndarray) -> np.ndarray:
        """Those of a student whose teacher's word is that about other items, in this ``order`` [N]."""
        answers = (self.along @ self.of(own))[order]
        mixed = (1 - alpha) * self.weights + alpha * self.spectrum.fitted(self.along, answers - answers.mean(axis=0))
        return np.asarray(own[:, None] * mixed)

    def theory(self, penalties: np.ndarray) -> np.ndarray:
        return np.array([best_alpha(own, self.heights, self.noise) for _, own in self.students(penalties)])


def _transitions(train: Items, num_classes: int) -> np.ndarray:
    """How often each class (row) has each label [K, K]."""
    counts = np.zeros((num_classes, num_classes))
    np.add.at(counts, (train.truth, train.labels), 1)
    return counts / counts.sum(axis=1, keepdims=True).clip(min=1)
