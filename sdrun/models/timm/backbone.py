"""Models of the timm library in parts, where the parts are what timm computes."""

from math import prod
from typing import Any

import timm
import torch
from torch import Tensor, nn

from sdrun.models.backbone import Backbone, Taps
from sdrun.models.timm.plan import Plan, plan
from sdrun.models.timm.settings import TimmSettings
from sdrun.models.timm.weights import pretrained
from sdrun.models.whole import Whole
from sdrun.settings import Item


class _Maps(Backbone):
    """A convolutional network: taps [B, channels, h, w] at the modules that timm names in its ``feature_info``."""

    taps_are = Taps.maps

    def __init__(self, model: Any, num_features: int, taps: dict[str, int], parts: list[list[str]]) -> None:
        super().__init__()
        self.model, self.parts = model, parts
        self.num_features, self.tap_features = num_features, taps

    def enter(self, images: Tensor) -> Tensor:
        return images

    def advance(self, x: Tensor, number: int) -> Tensor:
        for name in self.parts[number]:
            x = self.model.get_submodule(name)(x)
        return x

    def leave(self, x: Tensor) -> Tensor:
        return self.model.forward_head(self.advance(x, -1), pre_logits=True)


class _Tokens(Backbone):
    """A vision transformer: taps [B, 1 + T, width] after each block, the class token first."""

    taps_are = Taps.tokens

    def __init__(self, model: Any, num_features: int, taps: dict[str, int]) -> None:
        super().__init__()
        self.model = model
        self.num_features, self.tap_features = num_features, taps

    def enter(self, images: Tensor) -> Tensor:
        tokens = self.model._pos_embed(self.model.patch_embed(images))
        return self.model.norm_pre(self.model.patch_drop(tokens))

    def advance(self, x: Tensor, number: int) -> Tensor:
        return self.model.blocks[number](x)

    def leave(self, x: Tensor) -> Tensor:
        return self.model.forward_head(self.model.norm(x), pre_logits=True)


def build(settings: TimmSettings, item: Item) -> Backbone:
    """In parts where they give bit for bit what timm's own forward gives, and whole otherwise.

    On the meta device there are no weights, and nothing to compare.
    """
    made = plan(settings.name, item)
    has_weights = torch.get_default_device().type != "meta"
    if settings.pretrained is not None and has_weights:
        model = pretrained(settings.name, settings.pretrained, made.options)
    else:
        model = timm.create_model(settings.name, **made.options)
    cut = _cut(model, made)
    return cut if cut and (not has_weights or _agrees(cut, model, item)) else Whole(model, made.num_features)


def _cut(model: nn.Module, made: Plan) -> Backbone | None:
    if not made.taps:
        return None
    if made.taps_are is Taps.tokens:
        return _Tokens(model, made.num_features, made.taps)
    return _Maps(model, made.num_features, made.taps, made.parts)


def _agrees(cut: Backbone, model: Any, item: Item) -> bool:
    """Whether parts give bit for bit what their model gives."""
    image = torch.linspace(-1, 1, prod(item.shape)).view(1, *item.shape)
    model.eval()
    with torch.no_grad():
        whole = model.forward_head(model.forward_features(image), pre_logits=True)
        is_same = torch.equal(cut(image).final, whole)
    model.train()
    return is_same
