"""A residual perceptron, as tables are learned (2106.11959, there called ResNet), with LayerNorm and no dropout."""

from torch import Tensor, nn

from sdrun.models.backbone import Backbone, Taps
from sdrun.models.mlp.settings import MLPSettings
from sdrun.settings import Item


class _Residual(nn.Sequential):
    def __init__(self, width: int) -> None:
        super().__init__(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class MLP(Backbone):
    """Of all numbers of an item, whatever its shape. Taps ``layer_1``, ``layer_2`` ...: [B, width]."""

    taps_are = Taps.vectors

    def __init__(self, inputs: int, width: int, depth: int) -> None:
        super().__init__()
        self.entry = nn.Linear(inputs, width)
        self.layers = nn.ModuleList(_Residual(width) for _ in range(depth))
        self.exit = nn.Sequential(nn.LayerNorm(width), nn.ReLU())
        self.num_features = width
        self.tap_features = {f"layer_{i}": width for i in range(1, depth + 1)}

    def enter(self, items: Tensor) -> Tensor:
        return self.entry(items.flatten(1))

    def advance(self, x: Tensor, number: int) -> Tensor:
        return self.layers[number](x)

    def leave(self, x: Tensor) -> Tensor:
        return self.exit(x)


def build(settings: MLPSettings, item: Item) -> MLP:
    return MLP(item.shape[0], settings.width, settings.depth)
