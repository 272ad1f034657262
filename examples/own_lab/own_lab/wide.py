"""A model: one convolution of wide windows. Any module from images to features [B, D] would do."""

from torch import nn

import sdrun
from sdrun.settings import Item


@sdrun.model("wide")
def wide(item: Item, width: int = 32, window: int = 5) -> nn.Module:
    """``width``: features; ``window``: pixels of a side of what each looks at."""
    return nn.Sequential(
        nn.Conv2d(item.shape[0], width, window, padding=window // 2),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
