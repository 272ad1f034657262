"""ResNet of basic blocks (1512.03385) with a stem for small images: one 3x3 convolution and no pooling."""

from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.models.backbone import Backbone, Taps, initialise
from sdrun.models.resnet.settings import ResNetSettings
from sdrun.settings import Item


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet(Backbone):
    """Stages of basic blocks; each stage after the first halves the resolution.

    Taps ``stage_1``, ``stage_2`` ...: [B, width, h, w].
    """

    taps_are = Taps.maps

    def __init__(self, channels: int, widths: list[int], depths: list[int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        stages: list[nn.Module] = []
        inputs = widths[0]
        for width, depth in zip(widths, depths, strict=True):
            strides = [1 if not stages else 2] + [1] * (depth - 1)
            blocks = []
            for stride in strides:
                blocks.append(_Block(inputs, width, stride))
                inputs = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.num_features = widths[-1]
        self.tap_features = {f"stage_{i}": width for i, width in enumerate(widths, start=1)}
        initialise(self)

    def enter(self, images: Tensor) -> Tensor:
        return self.stem(images)

    def advance(self, x: Tensor, number: int) -> Tensor:
        return self.stages[number](x)

    def leave(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


def build(settings: ResNetSettings, item: Item) -> ResNet:
    return ResNet(item.shape[0], settings.widths, settings.depths)
