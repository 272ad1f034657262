"""What beliefs out of sample say of labels: confident learning (Northcutt et al. 2021, 1911.00068)."""

import numpy as np

from sdrun.finders.findings import Findings, ranked, resampled

SLACK = 1e-6
"""By how much a belief may fall short of a class's threshold."""
SAMPLES = 100
"""Of items, to tell how sure the share of wrong labels is."""


def find(labels: np.ndarray, beliefs: np.ndarray) -> Findings:
    """labels: [N]; beliefs: probabilities [N, K] of models that did not see the item."""
    joint = confident_joint(labels, beliefs)
    is_suspect = suspects(labels, beliefs, joint)
    classes = np.where(is_suspect[:, None], beliefs, np.eye(beliefs.shape[1])[labels])

    def rate(rows: np.ndarray) -> float:
        return noise_rate(confident_joint(labels[rows], beliefs[rows]))

    return Findings(
        is_suspect,
        ranks(labels, beliefs),
        classes,
        noise_rate(joint),
        transitions(joint),
        lambda seed: resampled(rate, len(labels), seed, SAMPLES),
    )


def confident_joint(labels: np.ndarray, beliefs: np.ndarray) -> np.ndarray:
    """How many items [K, K] have each given label (rows) and seem to be of each class (columns).

    An item seems to be of the likeliest of the classes that it is believed in as much as their own items are on
    average; counts are then scaled to as many items of each label as there are. labels: [N]; beliefs: probabilities
    [N, K].
    """
    num_classes = beliefs.shape[1]
    counts = np.bincount(labels, minlength=num_classes)
    own = beliefs[np.arange(len(labels)), labels]
    thresholds = np.bincount(labels, weights=own, minlength=num_classes) / np.maximum(counts, 1)
    thresholds[counts == 0] = np.inf
    is_confident = beliefs >= thresholds - SLACK
    num_confident = is_confident.sum(axis=1)
    seems = np.where(num_confident > 1, beliefs.argmax(axis=1), is_confident.argmax(axis=1))
    joint = np.zeros((num_classes, num_classes))
    np.add.at(joint, (labels[num_confident > 0], seems[num_confident > 0]), 1)
    np.fill_diagonal(joint, joint.diagonal().clip(min=1))
    return np.stack([_whole(row / row.sum() * num, num) for row, num in zip(joint, counts, strict=True)])


def _whole(shares: np.ndarray, num: int) -> np.ndarray:
    """Whole numbers [K] that sum to ``num``, as near to the shares as may be."""
    rounded = np.floor(shares).astype(np.int64)
    rounded[np.argsort(rounded - shares, kind="stable")[: num - rounded.sum()]] += 1
    return rounded


def noise_rate(joint: np.ndarray) -> float:
    """The share of items whose label is not the class that they seem to be of."""
    return float(1 - joint.trace() / joint.sum())


def transitions(joint: np.ndarray) -> np.ndarray:
    """The probability [K, K] of each given label (columns) for items that seem to be of a class (rows)."""
    return (joint / joint.sum(axis=0, keepdims=True).clip(min=1e-12)).T


def suspects(labels: np.ndarray, beliefs: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Which labels [N] are wrong: of each label and each other class as many as the joint has, those of items that are
    believed in that class most and in their own least; none whose own is the likeliest.
    """
    num_classes, own = beliefs.shape[1], beliefs[np.arange(len(labels)), labels]
    is_suspect = np.zeros(len(labels), dtype=bool)
    for label in range(num_classes):
        rows = np.flatnonzero(labels == label)
        for other in range(num_classes):
            num = joint[label, other]
            if other != label and num:
                margin = beliefs[rows, other] - own[rows]
                is_suspect[rows[np.argsort(-margin, kind="stable")[:num]]] = True
    return is_suspect & (beliefs.argmax(axis=1) != labels)


def ranks(labels: np.ndarray, beliefs: np.ndarray) -> np.ndarray:
    """The place [N] of each label among all, 1 being the most suspicious: by the belief in it, less in the likeliest
    other class.
    """
    rows, others = np.arange(len(labels)), beliefs.copy()
    others[rows, labels] = -1
    return ranked(beliefs[rows, labels] - others.max(axis=1))
