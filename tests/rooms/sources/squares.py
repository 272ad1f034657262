"""Images of 32x32, which patches of 16 divide, with a square in the upper half or in the lower one."""

import numpy as np

from sdrun.data.labelled import Labelled, Published
from sdrun.settings import Item
from sdrun.tasks.images.settings import ImagesSettings


def load(settings: ImagesSettings) -> Published:
    return Published(_squares(48), _squares(16), ["upper", "lower"], Item("images", (1, 32, 32)))


def _squares(num: int) -> Labelled:
    label, images = np.arange(num) % 2, np.zeros((num, 1, 32, 32), dtype=np.uint8)
    for i in range(num):
        top, left = 16 * label[i] + i % 8, i % 24
        images[i, 0, top : top + 8, left : left + 8] = 255
    return Labelled({"image": images}, label)
