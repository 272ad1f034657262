"""A small residual CNN that works on half the resolution, for speed on a CPU."""

from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.models.backbone import Backbone, Taps, initialise
from sdrun.models.cnn.settings import CNNSettings
from sdrun.settings import Item


class _Conv(nn.Sequential):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class _Residuals(nn.ModuleList):
    def __init__(self, width: int, depth: int) -> None:
        super().__init__(_Conv(width, width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self:
            x = x + convolution(x)
        return x


class CNN(Backbone):
    """2x2 pixels become channels; then for each width a convolution and ``depth`` residual ones, halved in between.

    Taps ``stage_1``, ``stage_2`` ...: [B, width, h, w].
    """

    taps_are = Taps.maps

    def __init__(self, channels: int, widths: list[int], depth: int) -> None:
        super().__init__()
        inputs = [4 * channels, *widths[:-1]]
        self.entries = nn.ModuleList(_Conv(i, o) for i, o in zip(inputs, widths, strict=True))
        self.residuals = nn.ModuleList(_Residuals(width, depth) for width in widths)
        self.num_features = widths[-1]
        self.tap_features = {f"stage_{i}": width for i, width in enumerate(widths, start=1)}
        initialise(self)

    def enter(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        return F.pixel_unshuffle(F.pad(images, (0, width % 2, 0, height % 2)), 2)

    def advance(self, x: Tensor, number: int) -> Tensor:
        return self.residuals[number](self.entries[number](F.max_pool2d(x, 2) if number else x))

    def leave(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


def build(settings: CNNSettings, item: Item) -> CNN:
    return CNN(item.shape[0], settings.widths, settings.depth)
