"""A backbone in one part."""

from torch import Tensor, nn

from sdrun.models.backbone import Backbone, Taps
from sdrun.trees import Tree


class Whole(Backbone):
    """Any module of items to features [B, num_features], without taps.

    >>> Whole(nn.Flatten(), 64).tap_features
    {}
    """

    taps_are = Taps.vectors

    def __init__(self, model: nn.Module, num_features: int) -> None:
        super().__init__()
        self.model = model
        self.num_features, self.tap_features = num_features, {}

    def enter(self, items: Tree) -> Tensor:
        return self.model(items)

    def advance(self, x: Tensor, number: int) -> Tensor:
        raise IndexError(f"there is no tap {number}")

    def leave(self, x: Tensor) -> Tensor:
        return x
