"""The residual perceptron of vectors on the pixels of images, without BatchNorm, which remembers data."""

import math

from sdrun.models.mlp.backbone import MLP
from sdrun.models.pixels.settings import PixelsSettings
from sdrun.settings import Item


def build(settings: PixelsSettings, item: Item) -> MLP:
    return MLP(math.prod(item.shape), settings.width, settings.depth)
