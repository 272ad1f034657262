"""What a period taught, held against labels that no training sees, and what can be told of it without any."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sdrun.data.labelled import Splits
from sdrun.data.source import Source
from sdrun.judges.judge import Evaluable, prefixed
from sdrun.judges.metric import ESTIMATED, IMBALANCE, UNCHANGED
from sdrun.judges.parts import Parts
from sdrun.methods.online.labels import COUNTS, LABEL, LIKELY, PREDICTION
from sdrun.methods.online.settings import OnlineSettings

PRESENT = "present"
PREQUENTIAL, MASK, RIGHT = "prequential_accuracy", "mask", "pseudo_label_accuracy"
LEARNING = (PREQUENTIAL, MASK, RIGHT, ESTIMATED, IMBALANCE, UNCHANGED)
"""Metrics of what a period taught."""

Told = Mapping[str, np.ndarray]
"""``prediction`` of a period's own items before; of those it learned from ``label``, ``counts``, ``likely``, if any."""

Learned = Callable[[Evaluable], dict[str, float]]
"""What is to be said of a period's learning, given the network after it."""


@dataclass(frozen=True)
class Learning:
    """``items``: the period's own, ``own`` [M] their labels; ``truth`` [N]: labels of the items that it learned from.

    Labels are None where nobody knows them; ``told`` is None where nothing was labelled.
    """

    data: Parts
    items: Source
    own: np.ndarray | None
    truth: np.ndarray | None = None
    told: Told | None = None

    def __call__(self, network: Evaluable) -> dict[str, float]:
        after = self.data.answers(network, self.items).argmax(dim=1).cpu().numpy()
        splits = self.data.splits
        if self.told is None:
            return learned({PREDICTION: after}, None, self.own, splits.classes)
        return learned(self.told, self.truth, self.own, splits.classes) | balanced(after, splits)


def learned(told: Told, truth: np.ndarray | None, own: np.ndarray | None, classes: list[str]) -> dict[str, float]:
    """truth [N]: of the items that the period learned from; own [M]: of its own items; None where that is not known."""
    metrics = dict[str, float]()
    if own is not None:
        metrics[PREQUENTIAL] = float((told[PREDICTION] == own).mean())
    if COUNTS in told:
        counts = told[COUNTS]
        metrics |= {MASK: float(counts.mean()), UNCHANGED: 0.0}
        if counts.any() and LIKELY in told:
            metrics[ESTIMATED] = float(told[LIKELY][counts].mean())
        if truth is not None:
            metrics |= _against(truth, told, classes)
    return prefixed(PRESENT, "", metrics)


def _against(truth: np.ndarray, told: Told, classes: list[str]) -> dict[str, float]:
    metrics, counts, label = dict[str, float](), told[COUNTS], told[LABEL]
    is_right = (label if label.ndim == 1 else label.argmax(axis=1)) == truth
    if counts.any():
        metrics[RIGHT] = float(is_right[counts].mean())
    for number, name in enumerate(classes):
        members = truth == number
        if (counts & members).any():
            metrics[f"{RIGHT}/{name}"] = float(is_right[counts & members].mean())
        if members.any():
            metrics[f"{MASK}/{name}"] = float(counts[members].mean())
    return metrics


def balanced(prediction: np.ndarray, splits: Splits) -> dict[str, float]:
    """How far the classes that are predicted are from those of the labelled items: total variation."""
    labels = splits.train.labels[splits.labelled]
    shares = [np.bincount(values, minlength=len(splits.classes)) / len(values) for values in (prediction, labels)]
    return {f"{PRESENT}/{IMBALANCE}": float(np.abs(shares[0] - shares[1]).sum() / 2)}


def unchanged(metrics: Mapping[str, float]) -> dict[str, float]:
    """What is said of the learning of a period whose update does not count."""
    own = {key: value for key, value in metrics.items() if key.split("/")[1] in LEARNING}
    return {**own, f"{PRESENT}/{UNCHANGED}": 1.0}


def objection(metrics: Mapping[str, float], settings: OnlineSettings) -> str:
    """Why an update is not to stay, by what can be told of it without labels; nothing where it may."""
    estimated, imbalance = metrics.get(f"{PRESENT}/{ESTIMATED}", 1.0), metrics.get(f"{PRESENT}/{IMBALANCE}", 0.0)
    if estimated < settings.least_accuracy:
        limit = f"method.least_accuracy={settings.least_accuracy:g}"
        return f"{estimated:.0%} of its pseudo-labels are right, by an estimate, and {limit}"
    if imbalance > settings.most_imbalance:
        limit = f"method.most_imbalance={settings.most_imbalance:g}"
        return f"its classes are {imbalance:.2f} away from those of the labelled items, and {limit}"
    return ""
