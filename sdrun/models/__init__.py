"""Backbones that return features with named taps, and the heads that recipes put on them."""

from typing import Any

from sdrun.models.backbone import Backbone
from sdrun.models.cnn import CNN
from sdrun.models.resnet import ResNet
from sdrun.models.vit import ViT


def backbone(settings: Any, channels: int, size: int) -> Backbone:
    """A backbone for images [channels, size, size], initialised from torch's global generator."""
    if settings.architecture == "cnn":
        return CNN(channels, settings.widths, settings.depth)
    if settings.architecture == "resnet":
        return ResNet(channels, settings.widths, settings.depths)
    return ViT(channels, size, settings.patch_size, settings.width, settings.depth, settings.heads, settings.mlp_ratio)
