"""Wrong labels on purpose."""

import numpy as np

from sdrun.settings import NoiseKind


def flip_labels(labels: np.ndarray, share: float, kind: NoiseKind, num_classes: int, seed: int) -> np.ndarray:
    """A copy of ``labels`` [N] in which each is wrong with probability ``share``.

    ``symmetric``: any other class with equal chance; ``pair``: the next class, the last one becoming the first.
    """
    random = np.random.default_rng(seed)
    flipped = random.random(len(labels)) < share
    shift = random.integers(1, num_classes, len(labels)) if kind is NoiseKind.symmetric else 1
    return np.where(flipped, (labels + shift) % num_classes, labels)
