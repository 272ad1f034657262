"""What every backbone is, and the network that a recipe makes of one."""

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from sdrun.counting import num_parameters
from sdrun.settings import Item, Shape
from sdrun.trees import Tree


class Features(NamedTuple):
    """``final`` [B, num_features], and what lies on the way to it by name, shallow to deep."""

    final: Tensor
    taps: dict[str, Tensor]


class Taps(Enum):
    """What is at the taps of a backbone.

    ``maps``: [B, channels, h, w], each with half the sides of the one before it; ``tokens``: [B, 1 + T, width], the
    class token first; ``vectors``: [B, width].
    """

    maps = "maps"
    tokens = "tokens"
    vectors = "vectors"


def zeros(item: Item, num: int = 1) -> Tensor:
    """What shapes are asked with: [num, ...] in the form in which a model takes such items."""
    return torch.zeros(num, *item.shape, dtype=torch.long if item.num_values else None)


class Backbone(nn.Module, ABC):
    """Items [B, ...] to features, in parts that end at its taps. It has no classifier: heads belong to the recipe.

    ``tap_features``: the taps by name, shallow to deep, and the channels or width of each.
    """

    taps_are: ClassVar[Taps]

    num_features: int
    tap_features: dict[str, int]

    def forward(self, items: Tree) -> Features:
        x = self.enter(items)
        taps = {}
        for number, tap in enumerate(self.tap_features):
            taps[tap] = x = self.advance(x, number)
        return Features(self.leave(x), taps)

    @abstractmethod
    def enter(self, items: Tree) -> Tensor:
        """From items as a view shows them, such as images [B, C, H, W], to what the part of the first tap takes."""

    @abstractmethod
    def advance(self, x: Tensor, number: int) -> Tensor:
        """To the tap of this number, the first being 0, from the one before it or from ``enter``."""

    @abstractmethod
    def leave(self, x: Tensor) -> Tensor:
        """From the last tap to the final features [B, num_features]."""


class Attentive(Backbone, ABC):
    """A backbone of tokens that can say where it looks."""

    taps_are = Taps.tokens

    @abstractmethod
    def attention(self, images: Tensor) -> Tensor:
        """How the class token of the last block weighs the patches of images [B, C, H, W]: [B, heads, h, w]."""


class Network(nn.Module):
    """A backbone and a head on its final features: items to what the head gives."""

    backbone: Backbone
    head: Any

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, items: Tree) -> Tensor:
        return self.head(self.backbone(items).final)

    def compile(self, *arguments: Any, **options: Any) -> None:
        """Compile both parts by themselves, for some objectives call them one by one."""
        self.backbone.compile(*arguments, **options)
        self.head.compile(*arguments, **options)


def shape_of(network: nn.Module) -> Shape:
    """Of a backbone, or of one with a head; any other has no taps."""
    backbone = network.backbone if isinstance(network, Network) else network
    taps, taps_are = list[str](), ""
    if isinstance(backbone, Backbone):
        taps, taps_are = list(backbone.tap_features), backbone.taps_are.value
    return Shape(num_parameters(backbone), taps, taps_are)


def initialise(module: nn.Module) -> None:
    """He initialisation of convolutions (1502.01852); everything else keeps torch's own."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and not part.weight.is_meta:  # where torch takes seconds to import what it needs
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
