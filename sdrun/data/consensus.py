"""What several people who labelled the same items say together. Imports no torch."""

from dataclasses import dataclass

import numpy as np

from sdrun.settings import ConsensusKind

STEPS, SMALLEST = 200, 1e-5
"""Of expectation and maximisation at most, and the change of a chance at which it ends."""
LEAST = 1e-9
SHARED = 50.0
"""As how many labels of a class what is common to all annotators counts beside those of one."""


@dataclass(frozen=True)
class Annotations:
    """Labels [M] of items [M], by position, that annotators [M] gave, whose ``names`` [J] are at their numbers."""

    items: np.ndarray
    annotators: np.ndarray
    labels: np.ndarray
    names: np.ndarray

    def votes(self, num_items: int, num_classes: int) -> np.ndarray:
        """How many labels of each class an item has, [N, K]."""
        places = self.items * num_classes + self.labels
        return np.bincount(places, minlength=num_items * num_classes).reshape(num_items, num_classes)

    def of(self, positions: np.ndarray) -> "Annotations":
        """Those of the items that are at different ``positions`` [N], each by its place among these."""
        place = np.full(max(self.items.max(initial=-1), positions.max(initial=-1)) + 1, -1)
        place[positions] = np.arange(len(positions))
        items = place[self.items]
        return self._kept(items >= 0, items)

    def replaced(self, positions: np.ndarray, labels: np.ndarray, name: str) -> "Annotations":
        """With one label alone of each item at these ``positions`` [P], which somebody of another ``name`` gave."""
        kept = self._kept(~np.isin(self.items, positions), self.items)
        number = np.full(len(positions), len(kept.names))
        return Annotations(
            np.concatenate([kept.items, positions]),
            np.concatenate([kept.annotators, number]),
            np.concatenate([kept.labels, labels]),
            np.append(kept.names, name),
        )

    def _kept(self, mask: np.ndarray, items: np.ndarray) -> "Annotations":
        """Without annotators of whom nothing is left."""
        left, annotators = np.unique(self.annotators[mask], return_inverse=True)
        return Annotations(items[mask], annotators, self.labels[mask], self.names[left])


@dataclass(frozen=True)
class Crowd:
    """What is believed of ``classes`` [N, K] of items, and of ``habits`` [J, K, K]: how often each annotator gives each
    label (last) to each class.
    """

    annotations: Annotations
    classes: np.ndarray
    habits: np.ndarray

    @property
    def reliability(self) -> np.ndarray:
        """How often each annotator [J] is right, were all to see the same items."""
        return np.asarray(np.einsum("jkk,k->j", self.habits, self.classes.mean(axis=0)))


def agreed(annotations: Annotations, kind: ConsensusKind, num_items: int, num_classes: int, seed: int) -> np.ndarray:
    """A label for each item [N], each of which has some; what is even is drawn."""
    if kind is ConsensusKind.dawid_skene:
        chances = dawid_skene(annotations, num_items, num_classes).classes
    else:
        chances = annotations.votes(num_items, num_classes).astype(np.float64)
    is_best = np.isclose(chances, chances.max(axis=1, keepdims=True))
    return np.asarray((is_best * np.random.default_rng(seed).uniform(1, 2, is_best.shape)).argmax(axis=1))


def dawid_skene(annotations: Annotations, num_items: int, num_classes: int, shared: float = SHARED) -> Crowd:
    """Classes of items and habits of annotators, each from the other, by expectation and maximisation.

    Dawid and Skene 1979 (10.2307/2346806), where ``shared`` is 0; see ``habits_of``. Each item has a label.
    """
    votes = annotations.votes(num_items, num_classes)
    classes = votes / votes.sum(axis=1, keepdims=True)
    for _ in range(STEPS):
        habits = habits_of(annotations, classes, shared)
        latest = classes_of(annotations, habits, np.broadcast_to(classes.mean(axis=0), classes.shape))
        change, classes = np.abs(latest - classes).max(), latest
        if change < SMALLEST:
            break
    return Crowd(annotations, classes, habits)


def habits_of(annotations: Annotations, classes: np.ndarray, shared: float = SHARED) -> np.ndarray:
    """How often each annotator gives each label (last) to each class, [J, K, K], of items whose ``classes`` [N, K] have
    these chances; what all have in common counts as ``shared`` labels of each class.
    """
    num_annotators, num_classes = len(annotations.names), classes.shape[1]
    given = annotations.annotators * num_classes + annotations.labels
    counts = [_sums(given, classes[annotations.items, k], num_annotators * num_classes) for k in range(num_classes)]
    by_class = np.stack(counts).reshape(num_classes, num_annotators, num_classes).swapaxes(0, 1)
    common = by_class.sum(axis=0) + LEAST
    common /= common.sum(axis=1, keepdims=True)
    habits = by_class + shared * common + LEAST
    return np.asarray(habits / habits.sum(axis=2, keepdims=True))


def classes_of(annotations: Annotations, habits: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The chances [N, K] of what items are by Bayes' rule, from those ``before`` anybody labelled them."""
    num_items, num_classes = before.shape
    logs = np.log(habits)[annotations.annotators, :, annotations.labels]
    scores = [_sums(annotations.items, logs[:, k], num_items) for k in range(num_classes)]
    logits = np.log(before.clip(min=LEAST)) + np.stack(scores, axis=1)
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _sums(places: np.ndarray, values: np.ndarray, num: int) -> np.ndarray:
    """The sum [num] of the values [M] at each place."""
    return np.bincount(places, weights=values, minlength=num)
