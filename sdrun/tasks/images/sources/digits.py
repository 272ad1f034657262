"""scikit-learn's digits; every fifth image of each class, drawn once for all runs, is the test set."""

import numpy as np

from sdrun.data.labelled import Labelled, Published
from sdrun.data.subsets import stratified
from sdrun.settings import Item
from sdrun.tasks.images.settings import ImagesSettings


def load(settings: ImagesSettings) -> Published:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    everything = Labelled({"image": images}, digits.target.astype(np.int64))
    test, train = stratified(np.arange(len(images)), everything.labels, 360, seed=0)
    names = [str(digit) for digit in range(10)]
    return Published(everything.take(train), everything.take(test), names, Item("images", images.shape[1:]))
