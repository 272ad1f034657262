"""What every backbone is, and the network that a recipe makes of one."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from torch import Tensor, nn


class Features(NamedTuple):
    """``final`` [B, num_features], and what lies on the way to it by name, shallow to deep."""

    final: Tensor
    taps: dict[str, Tensor]


class Backbone(nn.Module, ABC):
    """Images [B, C, H, W] to features. It has no classifier: heads belong to the recipe.

    ``tap_features``: the taps by name, shallow to deep, and the channels (or width) of each.
    """

    num_features: int
    tap_features: dict[str, int]

    @abstractmethod
    def forward(self, images: Tensor) -> Features: ...


class Network(nn.Module):
    """A backbone and a head on its final features: images [B, C, H, W] to what the head gives."""

    backbone: Backbone
    head: Any

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.backbone(images).final)

    def compile(self, *arguments: Any, **options: Any) -> None:
        """Compile both parts by themselves, for some objectives call them one by one."""
        self.backbone.compile(*arguments, **options)
        self.head.compile(*arguments, **options)


def classifier(backbone: Backbone, num_classes: int) -> Network:
    """The network with a linear head: images [B, C, H, W] to logits [B, num_classes]."""
    return Network(backbone, nn.Linear(backbone.num_features, num_classes))


def initialise(module: nn.Module) -> None:
    """He initialisation of convolutions (1502.01852); everything else keeps torch's own."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
