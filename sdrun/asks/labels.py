"""How many labels seem to be wrong, cheaply: by kernel ridge regression on what items consist of, each left out once.

Such a model is worse than a network, so what it finds is a first look: the closed form of leaving one out (Allen 1974)
gives beliefs out of sample at the price of one fit, and ``sdrun.finders`` says what they make of the labels.
"""

from zlib import crc32

import numpy as np

from sdrun.data.columns import Columns, Readable
from sdrun.finders import anchors

MOST = 1500
"""Items that are looked at."""

WIDEST = 4096
"""Numbers of an item, evenly among all that it has."""

BUCKETS = 1024
"""Of words, by their hashes."""

PENALTIES = (0.01, 0.1, 1.0)
"""In parts of the mean of the kernel's diagonal, of which leaving one out chooses."""

FEWEST = 10
"""Items of a class, without which nothing is said."""

LEAST = 1 / 3
"""Of the labels that the commonest class is not, how many more the beliefs have right; below, they tell too little."""


def wrong(fields: Columns, labels: np.ndarray, num_classes: int) -> tuple[float, float, float] | None:
    """The share of wrong labels [N], and its interval at 95 %; None where too little is known to say."""
    chosen = np.random.default_rng(0).permutation(len(labels))[:MOST]
    labelled_as = labels[chosen]
    counts = np.bincount(labelled_as, minlength=num_classes)
    if counts.min() < FEWEST:
        return None
    beliefs = _left_out(_features(fields, chosen), np.eye(num_classes)[labelled_as])
    commonest = counts.max() / len(labelled_as)
    if (beliefs.argmax(axis=1) == labelled_as).mean() < commonest + LEAST * (1 - commonest):
        return None
    findings = anchors.find(labelled_as, beliefs)
    low, high = findings.noise_interval(0)
    return findings.noise_rate, min(low, findings.noise_rate), max(high, findings.noise_rate)


def _features(fields: Columns, chosen: np.ndarray) -> np.ndarray:
    """Of items as they are [N, F], of length 1: their numbers, or how often each word is in a text."""
    column = next(iter(fields.values()))
    if isinstance(column, np.ndarray | Readable):
        numbers = column[chosen] if isinstance(column, np.ndarray) else column.read(chosen)
        every = numbers.reshape(len(chosen), -1)
        items = every[:, :: -(-every.shape[1] // WIDEST)].astype(np.float64)
    else:
        items = np.zeros((len(chosen), BUCKETS))
        for row, piece in enumerate(column[chosen].pieces()):
            np.add.at(items[row], [crc32(word) % BUCKETS for word in piece.lower().split()], 1.0)
    items = items - items.mean(axis=0)
    return items / np.linalg.norm(items, axis=1, keepdims=True).clip(min=1e-12)


def _left_out(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Beliefs [N, K] of models that learned one-hot targets [N, K] of all other items."""
    squared = 2 - 2 * features @ features.T
    kernel = np.exp(-squared / np.median(squared))
    best, least = targets, np.inf
    for penalty in PENALTIES:
        inverse = np.linalg.inv(kernel + penalty * np.eye(len(kernel)))
        left_out = targets - (inverse @ targets) / np.diag(inverse)[:, None]
        if (error := float(((left_out - targets) ** 2).mean())) < least:
            best, least = left_out, error
    beliefs = best.clip(min=1e-3)
    return np.asarray(beliefs / beliefs.sum(axis=1, keepdims=True))
