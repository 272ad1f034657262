"""Every model of conf/ on every image size: features, taps, gradients."""

from pathlib import Path

import pytest
import torch

from helpers import settings
from sdrun import models
from sdrun.configuration import conf_folder
from sdrun.models.backbone import classifier

NAMES = sorted(path.stem for path in Path(conf_folder() / "model").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (1, 28), (3, 32)])
def test_features_and_taps(name, channels, size):
    torch.manual_seed(0)
    backbone = models.backbone(settings(f"model={name}").model, channels, size)
    features = backbone(torch.randn(2, channels, size, size))
    assert features.final.shape == (2, backbone.num_features)
    assert list(features.taps) == list(backbone.tap_features)
    for tap, width in backbone.tap_features.items():
        position = 1 if features.taps[tap].ndim == 4 else 2
        assert features.taps[tap].shape[position] == width
    network = classifier(backbone, 10)
    network(torch.randn(2, channels, size, size)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "millions"), [("resnet8", 0.078), ("resnet20", 0.27), ("resnet18", 11.17), ("vit_tiny", 2.7)]
)
def test_sizes_are_those_of_the_papers(name, millions):
    backbone = models.backbone(settings(f"model={name}").model, 3, 32)
    found = sum(parameter.numel() for parameter in classifier(backbone, 10).parameters()) / 1e6
    assert found == pytest.approx(millions, rel=0.02)


def test_widths_and_depths_are_settings():
    backbone = models.backbone(settings("model=resnet8", "model.widths=[4,6]", "model.depths=[1,2]").model, 1, 28)
    assert backbone.tap_features == {"stage_1": 4, "stage_2": 6}
    backbone = models.backbone(settings("model=cnn", "model.widths=[4,6]", "model.depth=3").model, 1, 28)
    assert len(backbone.residuals[0]) == 3


def test_the_cnn_takes_odd_sizes():
    backbone = models.backbone(settings("model=cnn").model, 1, 27)
    assert backbone(torch.randn(2, 1, 27, 27)).final.shape == (2, 128)
