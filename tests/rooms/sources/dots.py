"""Images of 8x8 with one dot, in the left half or in the right one."""

import numpy as np

from sdrun.data.labelled import Labelled, Published
from sdrun.settings import Item
from sdrun.tasks.images.settings import ImagesSettings


def load(settings: ImagesSettings) -> Published:
    train, test = (_dots(num) for num in (100, 40))
    return Published(train, test, ["left", "right"], Item("images", (1, 8, 8)))


def _dots(num: int) -> Labelled:
    number = np.arange(num)
    images = np.zeros((num, 1, 8, 8), dtype=np.uint8)
    images[number, 0, number % 7, number % 8] = 255
    return Labelled({"image": images}, number % 8 // 4)
