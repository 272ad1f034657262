"""Every model of conf/ on every image size: features, taps, gradients."""

from pathlib import Path

import pytest
import torch
from torch import nn

from helpers import classifier, images, settings
from sdrun import models
from sdrun.configuration import conf_folder

NAMES = sorted(path.stem for path in Path(conf_folder() / "model").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (1, 28), (3, 32)])
def test_features_and_taps(name, channels, size):
    torch.manual_seed(0)
    backbone = models.build(settings(f"model={name}").model, images(channels, size))
    features = backbone(torch.randn(2, channels, size, size))
    assert features.final.shape == (2, backbone.num_features)
    assert list(features.taps) == list(backbone.tap_features)
    for tap, width in backbone.tap_features.items():
        position = 1 if features.taps[tap].ndim == 4 else 2
        assert features.taps[tap].shape[position] == width
    network = classifier(backbone, 10)
    network(torch.randn(2, channels, size, size)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def vit(size, **widths):
    torch.manual_seed(0)
    given = [f"model.{key}={value}" for key, value in {"width": 24, "depth": 2, **widths}.items()]
    return models.build(settings("model=vit_tiny", *given).model, images(1, size)).eval()


@pytest.mark.parametrize("name", NAMES)
def test_every_model_takes_local_crops_of_another_size(name):
    backbone = models.build(settings(f"model={name}").model, images(1, 28))
    assert backbone(torch.randn(2, 1, 16, 16)).final.shape == (2, backbone.num_features)


def test_a_vits_positions_are_interpolated_on_their_grid():
    backbone = vit(28)
    own = backbone.positions.weight
    assert backbone._positions(torch.Size([7, 7])) is own
    resized = backbone._positions(torch.Size([4, 4]))
    assert resized.shape == (1 + 16, 24)
    torch.testing.assert_close(resized[0], own[0])
    with torch.no_grad():  # a ramp from left to right stays a ramp from left to right
        own[1:] = torch.arange(7.0).repeat(7)[:, None].expand(-1, 24)
    ramp = backbone._positions(torch.Size([4, 4]))[1:].view(4, 4, 24)
    assert (ramp[:, 1:] > ramp[:, :-1]).all()
    torch.testing.assert_close(ramp[0], ramp[3])


def test_a_vits_attention_is_that_of_the_class_token_in_the_last_block():
    backbone, x = vit(28), torch.randn(3, 1, 28, 28)
    heat = backbone.attention(x)
    assert heat.shape == (3, 3, 7, 7)
    last = backbone.blocks[-1]
    tokens = last.norm1(backbone(x).taps["block_1"])
    reference = nn.MultiheadAttention(24, 3, batch_first=True).eval()
    reference.in_proj_weight, reference.in_proj_bias = last.qkv.weight, last.qkv.bias
    _, weight = reference(tokens, tokens, tokens, average_attn_weights=False)
    torch.testing.assert_close(heat.flatten(2), weight[:, :, 0, 1:])


@pytest.mark.parametrize(
    ("name", "millions"), [("resnet8", 0.078), ("resnet20", 0.27), ("resnet18", 11.17), ("vit_tiny", 2.7)]
)
def test_sizes_are_those_of_the_papers(name, millions):
    backbone = models.build(settings(f"model={name}").model, images(3, 32))
    found = sum(parameter.numel() for parameter in classifier(backbone, 10).parameters()) / 1e6
    assert found == pytest.approx(millions, rel=0.02)


def test_widths_and_depths_are_settings():
    backbone = models.build(settings("model=resnet8", "model.widths=[4,6]", "model.depths=[1,2]").model, images(1, 28))
    assert backbone.tap_features == {"stage_1": 4, "stage_2": 6}
    backbone = models.build(settings("model=cnn", "model.widths=[4,6]", "model.depth=3").model, images(1, 28))
    assert len(backbone.residuals[0]) == 3


def test_the_cnn_takes_odd_sizes():
    backbone = models.build(settings("model=cnn").model, images(1, 27))
    assert backbone(torch.randn(2, 1, 27, 27)).final.shape == (2, 128)
