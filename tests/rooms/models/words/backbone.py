"""A perceptron on counts of words."""

from torch import Tensor, nn

from sdrun.models.backbone import Backbone, Taps
from sdrun.models.words.settings import WordsSettings
from sdrun.settings import Item


class Words(Backbone):
    """Taps ``layer_1``, ``layer_2`` ...: [B, width]."""

    taps_are = Taps.vectors

    def __init__(self, num_words: int, width: int, taps: list[str]) -> None:
        super().__init__()
        sizes = [num_words] + [width] * (len(taps) - 1)
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(size, width), nn.ReLU()) for size in sizes)
        self.num_features = width
        self.tap_features = dict.fromkeys(taps, width)

    def enter(self, images: Tensor) -> Tensor:
        return images

    def advance(self, x: Tensor, number: int) -> Tensor:
        return self.layers[number](x)

    def leave(self, x: Tensor) -> Tensor:
        return x


def build(settings: WordsSettings, item: Item) -> Words:
    return Words(item.shape[0], settings.width, settings.taps)
