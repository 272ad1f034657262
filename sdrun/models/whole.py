"""A backbone in one part."""

import torch
from torch import Tensor, nn

from sdrun.errors import InputError, require
from sdrun.models.backbone import Backbone, Taps, zeros
from sdrun.plugins.registry import Registered
from sdrun.settings import Item, ModelSettings
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


def made(entry: Registered, settings: ModelSettings, item: Item) -> Backbone:
    """What a plugin's function makes of the settings. Raises InputError where that gives no features [B, D]."""
    values = {name: value for name, value in vars(settings).items() if name not in ("name", "architecture")}
    key = f"model={settings.name}"
    try:
        module = entry.function(item, **values)
    except Exception as error:
        raise InputError(f"{key}: the plugin {entry.plugin} raised {type(error).__name__}: {error}") from error
    gives = f"the plugin {entry.plugin} gives {type(module).__name__}, no nn.Module"
    require(isinstance(module, nn.Module), key, gives)
    if isinstance(module, Backbone):
        taps = list(module.tap_features)
        said = f"has the taps {taps}, and was registered with {settings.taps}; say so by taps=..."
        require(taps == settings.taps, key, said)
        return module
    return Whole(module, _num_features(module, item, key))


def _num_features(module: nn.Module, item: Item, key: str) -> int:
    """How many there are of an item. Raises InputError where none go through, or come out as anything but vectors."""
    module.eval()
    try:
        with torch.no_grad():
            features = module(zeros(item, 2))
    except Exception as error:
        raise InputError(f"{key}: {item} cannot go through it ({type(error).__name__}: {error})") from error
    shape = list(features.shape) if isinstance(features, Tensor) else type(features).__name__
    is_vectors = isinstance(features, Tensor) and features.ndim == 2
    require(is_vectors, key, f"gives {shape} for two items; give features [B, D], such as after a mean over positions")
    module.train()
    return features.shape[1]
