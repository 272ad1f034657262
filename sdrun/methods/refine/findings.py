"""What a finder of wrong labels says. Imports no torch."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Findings:
    """Of labels [N] that were given to items: ``is_suspect`` [N], ``ranks`` [N], 1 for the most suspicious, ``classes``
    [N, K], the chances of what items are, how many are wrong, and how often each class (row) has each label (column).
    """

    is_suspect: np.ndarray
    ranks: np.ndarray
    classes: np.ndarray
    noise_rate: float
    transitions: np.ndarray


def ranked(chance: np.ndarray) -> np.ndarray:
    """The place [N] of each item by its chance [N] to be labelled right, the least first."""
    places = np.empty(len(chance), dtype=np.int64)
    places[np.argsort(chance, kind="stable")] = np.arange(1, len(chance) + 1)
    return places
