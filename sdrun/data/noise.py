"""Wrong labels on purpose."""

import numpy as np

from sdrun.data.labelled import Labelled
from sdrun.errors import require
from sdrun.settings import DatasetSettings, NoiseKind

SPREAD = 0.1
"""Standard deviation of an item's chance to be wrong (2006.07836)."""


def noisy(train: Labelled, labels: np.ndarray, settings: DatasetSettings, num_classes: int, seed: int) -> np.ndarray:
    """A copy of ``labels`` [N] of these items, some of them wrong as the settings say.

    ``symmetric``: any other class with equal chance; ``pair``: the next class, the last one becoming the first;
    ``instance``: as the item looks, see ``by_instance``; or with the chances of a matrix. Raises InputError where
    items or classes do not suit that.
    """
    share, kind, matrix = settings.label_noise, settings.label_noise_kind, settings.label_noise_matrix
    random = np.random.default_rng(seed)
    if matrix is not None:
        fits = len(matrix) == num_classes
        require(fits, "dataset.label_noise_matrix", f"has {len(matrix)} rows for {num_classes} classes; give one each")
        return drawn(np.asarray(matrix)[labels], random)
    if kind is NoiseKind.instance and share:
        items = next(iter(train.fields.values()), None)
        needs = "follows the numbers of an item, and these items have none in memory; take another kind"
        require(isinstance(items, np.ndarray), "dataset.label_noise_kind", needs)
        assert isinstance(items, np.ndarray)
        return drawn(by_instance(items, labels, share, num_classes, random), random)
    flipped = random.random(len(labels)) < share
    shift = random.integers(1, num_classes, len(labels)) if kind is NoiseKind.symmetric else 1
    return np.where(flipped, (labels + shift) % num_classes, labels)


def by_instance(
    items: np.ndarray, labels: np.ndarray, share: float, num_classes: int, random: np.random.Generator
) -> np.ndarray:
    """The chances [N, K] of each label of items [N, ...] (Xia et al. 2020, 2006.07836, algorithm 2).

    An item is wrong with a chance that is drawn around ``share``, and then what a random linear function of its
    numbers, one for each class that it may have, finds likeliest.
    """
    numbers = items.reshape(len(items), -1).astype(np.float64)
    numbers = (numbers - numbers.mean()) / max(numbers.std(), 1e-12)
    chance = np.clip(random.normal(share, SPREAD, len(items)), 0, 1)
    chances = np.zeros((len(items), num_classes))
    for label in range(num_classes):
        rows = np.flatnonzero(labels == label)
        scores = numbers[rows] @ random.normal(size=(numbers.shape[1], num_classes))
        scores[:, label] = -np.inf
        others = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances[rows] = chance[rows, None] * others / others.sum(axis=1, keepdims=True)
        chances[rows, label] = 1 - chance[rows]
    return chances


def drawn(chances: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A class for each row of chances [N, K]."""
    reached = chances.cumsum(axis=1)
    return np.asarray((random.random((len(chances), 1)) * reached[:, -1:] >= reached).sum(axis=1))
