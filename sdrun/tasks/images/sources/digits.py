"""scikit-learn's digits; every fifth image of each class, drawn once for all runs, is the test set."""

import gzip
from importlib.metadata import distribution

import numpy as np

from sdrun.data.labelled import Labelled, Published
from sdrun.data.subsets import stratified
from sdrun.settings import Item
from sdrun.tasks.images.settings import ImagesSettings


def load(settings: ImagesSettings) -> Published:
    values, labels = read()
    images = np.rint(values * (255 / 16)).astype(np.uint8)[:, None]
    everything = Labelled({"image": images}, labels)
    test, train = stratified(np.arange(len(images)), everything.labels, 360, seed=0)
    names = [str(digit) for digit in range(10)]
    return Published(everything.take(train), everything.take(test), names, Item("images", images.shape[1:]))


def read() -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 8, 8] of values from 0 to 16, and labels [N], as scikit-learn has them, whose import takes long."""
    file = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    with gzip.open(str(file)) as lines:
        table = np.loadtxt(lines, delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
