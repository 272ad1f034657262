"""What several people who labelled the same items say together. Imports no torch."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from sdrun.settings import ConsensusKind

STEPS, SMALLEST = 200, 1e-5
"""Of expectation and maximisation at most, and the change of a chance at which it ends."""
LEAST = 1e-9
SHARED = 50.0
"""As how many labels of a class what is common to all annotators counts beside those of one."""


@dataclass(frozen=True)
class Annotations:
    """Labels [M] of items [M], by position, that annotators [M] gave, whose ``names`` [J] are at their numbers. Some
    items may have none.
    """

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

    def num_people(self, num_items: int) -> np.ndarray:
        """How many different people labelled each item [N]."""
        pairs = np.unique(np.stack([self.items, self.annotators]), axis=1)
        return np.bincount(pairs[0], minlength=num_items)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of who said what of which item."""
        fields = (self.items, self.annotators, self.labels, self.names)
        return sha256(b"".join(values.tobytes() for values in fields)).hexdigest()

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
        """The share of each annotator's [J] labels that seem right."""
        mine, num = self.annotations, len(self.annotations.names)
        right = np.bincount(mine.annotators, self.classes[mine.items, mine.labels], num)
        return np.asarray(right / np.bincount(mine.annotators, minlength=num))

    @property
    def mistakes(self) -> np.ndarray:
        """How many labels (last) of each class [J, K, K] each annotator seems to have given to items of another."""
        num = _counts(self.annotations, self.classes)
        num[:, np.arange(num.shape[1]), np.arange(num.shape[1])] = 0
        return num


def agreed(
    annotations: Annotations, kind: ConsensusKind, labels: np.ndarray, num_classes: int, seed: int
) -> np.ndarray:
    """A label for each item [N]: what is even is drawn, and what nobody labelled has that of ``labels`` [N]."""
    has_any = np.unique(annotations.items)
    asked = annotations.of(has_any)
    if kind is ConsensusKind.dawid_skene:
        chances = dawid_skene(asked, len(has_any), num_classes).classes
    else:
        chances = asked.votes(len(has_any), num_classes).astype(np.float64)
    is_best = np.isclose(chances, chances.max(axis=1, keepdims=True))
    consensus = labels.copy()
    consensus[has_any] = (is_best * np.random.default_rng(seed).uniform(1, 2, is_best.shape)).argmax(axis=1)
    return consensus


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
    by_class = _counts(annotations, classes)
    common = by_class.sum(axis=0) + LEAST
    common /= common.sum(axis=1, keepdims=True)
    habits = by_class + shared * common + LEAST
    return np.asarray(habits / habits.sum(axis=2, keepdims=True))


def _counts(annotations: Annotations, classes: np.ndarray) -> np.ndarray:
    """How many labels (last) of each class [J, K, K] each annotator gave to items of these ``classes`` [N, K]."""
    num_annotators, num_classes = len(annotations.names), classes.shape[1]
    places = annotations.annotators * num_classes + annotations.labels
    counts = [_sums(places, classes[annotations.items, k], num_annotators * num_classes) for k in range(num_classes)]
    return np.stack(counts).reshape(num_classes, num_annotators, num_classes).swapaxes(0, 1)


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
