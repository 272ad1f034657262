"""What a finder of wrong labels says. Imports no torch."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Findings:
    """Of labels [N] that were given to items: ``is_suspect`` [N], ``ranks`` [N], 1 for the most suspicious, ``classes``
    [N, K], the chances of what items are, how many are wrong, and how often each class (row) has each label (column).

    ``noise_interval``: by a seed, see ``resampled``.
    """

    is_suspect: np.ndarray
    ranks: np.ndarray
    classes: np.ndarray
    noise_rate: float
    transitions: np.ndarray
    noise_interval: Callable[[int], tuple[float, float]]

    def without_doubt(self, certain: np.ndarray, labels: np.ndarray) -> "Findings":
        """The same, but that nothing is suspect of items whose labels are ``certain`` [N]; these rank last."""
        classes = np.where(certain[:, None], np.eye(self.classes.shape[1])[labels], self.classes)
        places = ranked(self.ranks + certain * len(labels))
        return replace(self, is_suspect=self.is_suspect & ~certain, ranks=places, classes=classes)


def resampled(noise_rate: Callable[[np.ndarray], float], num: int, seed: int, times: int) -> tuple[float, float]:
    """The middle 95 % of the share of wrong labels over samples of ``num`` items, drawn with replacement.

    noise_rate: of the items at these rows [num].
    """
    random = np.random.default_rng(seed)
    rates = [noise_rate(random.integers(0, num, num)) for _ in range(times)]
    low, high = np.quantile(rates, [0.025, 0.975])
    return float(low), float(high)


def ranked(chance: np.ndarray) -> np.ndarray:
    """The place [N] of each item by its chance [N] to be labelled right, the least first."""
    places = np.empty(len(chance), dtype=np.int64)
    places[np.argsort(chance, kind="stable")] = np.arange(1, len(chance) + 1)
    return places
