"""Every model of conf/, those of images on every size: features, taps, gradients."""

import pytest
import torch
from torch import nn

from helpers import TWO_TEXTS, classifier, images, models_of, settings
from sdrun import models
from sdrun.models.backbone import Taps
from sdrun.models.bag.backbone import hashed
from sdrun.settings import Item
from sdrun.tasks.text.texts import TEXTS

OF_IMAGES, OF_TEXTS, OF_VECTORS = models_of("images"), models_of("texts"), models_of("vectors")


@pytest.mark.parametrize("name", OF_IMAGES)
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (1, 28), (3, 32)])
def test_features_and_taps(name, channels, size):
    check(name, images(channels, size), torch.randn(2, channels, size, size))


@pytest.mark.parametrize("name", OF_TEXTS)
def test_features_and_taps_of_texts(name):
    check(name, TEXTS, TWO_TEXTS)


@pytest.mark.parametrize("name", OF_VECTORS)
def test_features_and_taps_of_vectors(name):
    check(name, Item("vectors", (7,)), torch.randn(2, 7))


def test_a_perceptron_is_the_one_of_the_settings_and_sees_items_one_by_one():
    torch.manual_seed(0)
    backbone = models.build(settings("model=mlp", "model.width=8", "model.depth=3").model, Item("vectors", (7,)))
    x = torch.randn(5, 7)
    assert backbone.tap_features == {"layer_1": 8, "layer_2": 8, "layer_3": 8}
    torch.testing.assert_close(backbone(x).final[:2], backbone(x[:2]).final)
    norm, first, _, second = backbone.layers[0]
    entered = backbone.enter(x)
    expected = entered + second(torch.relu(first(norm(entered))))
    torch.testing.assert_close(backbone(x).taps["layer_1"], expected)


def check(name, item, x):
    torch.manual_seed(0)
    asked = settings(f"model={name}").model
    backbone = models.build(asked, item)
    features = backbone(x)
    assert features.final.shape == (2, backbone.num_features)
    assert list(features.taps) == list(backbone.tap_features) == asked.taps
    for tap, width in backbone.tap_features.items():
        shape = features.taps[tap].shape
        assert shape[{Taps.maps: 1, Taps.tokens: 2, Taps.vectors: 1}[backbone.taps_are]] == width
        assert len(shape) == {Taps.maps: 4, Taps.tokens: 3, Taps.vectors: 2}[backbone.taps_are]
    network = classifier(backbone, 10)
    network(x).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("name", OF_TEXTS)
def test_what_stands_after_a_text_changes_nothing(name):
    torch.manual_seed(0)
    backbone = models.build(settings(f"model={name}", "model.length=8").model, TEXTS).eval()
    short, long = torch.tensor([[5, 7, 300]]), torch.tensor([[5, 7, 300, 0, 0, 0, 0, 0]])
    torch.testing.assert_close(backbone(short).final, backbone(long).final)
    assert not torch.allclose(backbone(short).final, backbone(torch.tensor([[5, 7, 301]])).final)
    assert backbone(torch.zeros(1, 8, dtype=torch.long)).final.isfinite().all()


def test_a_bag_does_not_know_the_order_of_words_and_one_of_two_grams_does():
    torch.manual_seed(0)
    one, other = torch.tensor([[5, 7, 300]]), torch.tensor([[7, 5, 300]])
    for ngrams, is_same in ((1, True), (2, False)):
        backbone = models.build(settings("model=bag", f"model.ngrams={ngrams}").model, TEXTS)
        assert torch.allclose(backbone(one).final, backbone(other).final, atol=1e-6) == is_same


def test_ngrams_of_all_lengths_are_there_and_none_beyond_the_end():
    buckets = hashed(torch.tensor([[5, 7, 300, 0], [9, 0, 0, 0]], dtype=torch.int32), 3, 1000)
    assert (buckets > 0).sum(dim=1).tolist() == [3 + 2 + 1, 1]
    assert buckets.max() < 1000
    assert hashed(torch.tensor([[5, 7]]), 2, 1000)[0, 2] != hashed(torch.tensor([[7, 5]]), 2, 1000)[0, 2]
    assert hashed(torch.tensor([[5]]), 3, 1000).shape == (1, 1)


def test_hashes_fill_all_buckets_evenly():
    buckets = hashed(torch.randint(2, 2**31, (1000, 40)), 2, 101)
    counts = buckets[buckets > 0].bincount(minlength=101)[1:].double()
    assert counts.std() < 2 * counts.mean().sqrt()  # as of even draws


@pytest.mark.parametrize("name", OF_TEXTS)
def test_text_models_compute_in_bf16_and_compiled(name):
    torch.manual_seed(0)
    network = classifier(models.build(settings(f"model={name}", "model.width=8", "model.depth=2").model, TEXTS), 3)
    plain = network(TWO_TEXTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(TWO_TEXTS)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), plain, atol=0.05, rtol=0.05)
    network.compile(backend="aot_eager")
    torch.testing.assert_close(network(TWO_TEXTS), plain)


def vit(size, **widths):
    torch.manual_seed(0)
    given = [f"model.{key}={value}" for key, value in {"width": 24, "depth": 2, **widths}.items()]
    return models.build(settings("model=vit_tiny", *given).model, images(1, size)).eval()


@pytest.mark.parametrize("name", [name for name in OF_IMAGES if name != "pixels"])
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
