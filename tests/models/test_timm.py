"""Models of timm: parts that are timm's own forward, taps, weights from files, and what is said of what cannot be."""

import random

import numpy as np
import pytest
import timm
import torch
from owned import npz
from safetensors.torch import save_file
from timm.models.resnet import ResNet
from timm.models.vision_transformer import VisionTransformer
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from helpers import check, classifier, compose, images, settings
from sdrun import configuration, models
from sdrun.errors import InputError
from sdrun.methods.layerwise.early_exit import EarlyExit, ExitPolicy
from sdrun.methods.layerwise.exits import Confidence
from sdrun.methods.layerwise.ladder import Ladder
from sdrun.models.backbone import Taps
from sdrun.models.timm import plan as plans
from sdrun.models.timm.settings import TimmSettings
from sdrun.models.whole import Whole

CUT = {
    "resnet18": ["act1", "layer1", "layer2", "layer3", "layer4"],
    "convnext_atto": ["stages.0", "stages.1", "stages.2", "stages.3"],
    "test_efficientnet": ["blocks.0", "blocks.1", "blocks.2", "blocks.3", "blocks.4"],
    "test_byobnet": ["stem", "stages.0", "stages.1", "stages.2", "final_conv"],
    "test_vit": [f"blocks.{i}" for i in range(6)],
    "deit_tiny_distilled_patch16_224": [f"blocks.{i}" for i in range(12)],
}
WHOLE = ("test_vit3", "test_mambaout")
"""A vision transformer without a class token, and a network of maps [B, h, w, C]."""


def timms(name, pretrained=None):
    return TimmSettings(name=name, architecture="timm", pretrained=pretrained and str(pretrained))


def built(name, channels=1, size=32, pretrained=None):
    torch.manual_seed(0)
    return models.build(timms(name, pretrained), images(channels, size))


@pytest.mark.parametrize("name", [*CUT, *WHOLE])
def test_the_parts_are_timms_own_forward(name):
    backbone, x = built(name).eval(), torch.randn(2, 1, 32, 32)
    own = backbone.model
    final, taps = backbone(x)
    assert torch.equal(final, own.forward_head(own.forward_features(x), pre_logits=True))
    assert final.shape == (2, backbone.num_features)
    assert list(taps) == list(backbone.tap_features) == timms(name).taps == CUT.get(name, [])
    for tap, width in backbone.tap_features.items():
        assert taps[tap].shape[{Taps.maps: 1, Taps.tokens: 2}[backbone.taps_are]] == width
    assert isinstance(backbone, Whole) == (name in WHOLE)


def test_taps_are_what_timm_itself_gives_there():
    x = torch.randn(2, 1, 32, 32)
    maps, tokens = built("resnet18").eval(), built("test_vit").eval()
    for own, theirs in zip(maps(x).taps.values(), maps.model.forward_intermediates(x)[1], strict=True):
        assert torch.equal(own, theirs)
    theirs = tokens.model.forward_intermediates(x, output_fmt="NLC", return_prefix_tokens=True)[1]
    for own, (patches, first) in zip(tokens(x).taps.values(), theirs, strict=True):
        assert torch.equal(own, torch.cat([first, patches], dim=1))


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_early_exit_runs_no_more_than_it_needs(name):
    torch.manual_seed(0)
    backbone = built(name)
    tap = list(backbone.tap_features)[1]
    ladder, calls = Ladder(backbone, [tap], 10).eval(), []
    for place, module in backbone.model.named_modules():
        module.register_forward_hook(lambda *_, place=place: calls.append(place))
    _, exits = EarlyExit(ladder, ExitPolicy(Confidence.probability, [0.0], [1.0, 1.0]))(torch.randn(4, 1, 32, 32))
    assert exits.tolist() == [0] * 4
    later = {"layer2", "layer3", "layer4"} if name == "test_resnet" else {f"blocks.{i}" for i in range(2, 6)}
    assert tap in calls
    assert not later & set(calls)


def test_taps_halve_and_the_deepest_of_a_size_is_taken():
    infos = [
        {"module": name, "num_chs": channels, "reduction": reduction}
        for name, channels, reduction in (
            ("a", 1, 2),
            ("b", 2, 8),
            ("c", 3, 16),
            ("d", 4, 16),
            ("e", 5, 32),
            ("f", 6, 32),
        )
    ]
    chain = {info["module"]: torch.empty(1, info["num_chs"], 4, 4) for info in infos if info["module"] != "f"}
    assert plans._halving(infos, chain) == {"b": 2, "d": 4, "e": 5}
    assert plans._halving(infos, {**chain, "d": torch.empty(1, 7, 7, 4)}) == {"b": 2, "c": 3, "e": 5}


def test_what_timm_computes_in_between_leaves_no_taps(monkeypatch):
    forward = ResNet.forward_features
    monkeypatch.setattr(ResNet, "forward_features", lambda self, x: forward(self, x) * 2)
    plans.plan.cache_clear()
    try:
        assert timms("test_resnet").taps == []
        assert isinstance(built("test_resnet"), Whole)
    finally:
        plans.plan.cache_clear()


def test_parts_that_agree_in_shape_alone_are_not_taken(monkeypatch):
    forward = VisionTransformer.forward_features
    monkeypatch.setattr(VisionTransformer, "forward_features", lambda self, x, **_: forward(self, x) * 2)
    assert isinstance(built("test_vit"), Whole)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_weights_depend_on_torchs_generator_alone(name):
    one = built(name)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 the one that a library might use
    other = built(name)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    torch.manual_seed(1)
    different = models.build(timms(name), images(1, 32))
    assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), different.parameters(), strict=True))


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_crops_of_another_size(name):
    assert built(name, 3)(torch.randn(2, 3, 16, 16)).final.shape[0] == 2


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_mambaout"])
def test_in_bf16_and_channels_last(name):
    network, x = classifier(built(name), 3).eval(), torch.randn(2, 1, 32, 32)
    plain = network(x)
    network.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(rough.float(), plain, atol=0.1, rtol=0.1)


def test_compiled_in_one_graph():
    network, x = classifier(built("test_resnet"), 3).eval(), torch.randn(2, 1, 32, 32)
    plain = network(x)
    network.compile(backend="eager", fullgraph=True)
    torch.testing.assert_close(network(x), plain)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_mambaout"])
def test_ranks_wait_for_no_parameter_that_learns_nothing(name, tmp_path):
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/ranks", rank=0, world_size=1)
    try:
        network = DistributedDataParallel(classifier(built(name), 3))
        for _ in range(2):  # the second step is refused where the first left one without a gradient
            network(torch.randn(2, 1, 32, 32)).square().sum().backward()
    finally:
        distributed.destroy_process_group()


# Weights from elsewhere ---------------------------------------------------------------------------------------------


def saved(folder, name, suffix, channels=3, **options):
    """A file of weights as timm publishes them, with a classifier of 1000 classes."""
    torch.manual_seed(7)
    state = timm.create_model(name, in_chans=channels, **options).state_dict()
    file = folder / f"weights{suffix}"
    save_file(state, file) if suffix == ".safetensors" else torch.save(state, file)
    return file, state


@pytest.mark.parametrize(
    ("name", "suffix"), [("test_resnet", ".safetensors"), ("test_vit", ".pth"), ("test_convnext", ".pth")]
)
def test_weights_of_a_file(tmp_path, name, suffix):
    options = {"img_size": 32} if name == "test_vit" else {}
    file, state = saved(tmp_path, name, suffix, **options)
    own = built(name, 3, 32, file).model.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in own.items())
    assert len(state) == len(own) + 2


def test_a_stem_is_adapted_to_grey_images_and_positions_to_their_size(tmp_path):
    file, state = saved(tmp_path, "test_vit", ".pth", img_size=64)
    own = built("test_vit", 1, 32, file).model.state_dict()
    stem = "patch_embed.proj.weight"
    torch.testing.assert_close(own[stem], state[stem].sum(dim=1, keepdim=True))
    assert own["pos_embed"].shape[1] == 1 + 4
    assert torch.equal(own["blocks.0.attn.qkv.weight"], state["blocks.0.attn.qkv.weight"])


def test_files_that_do_not_fit_are_named(tmp_path):
    file, state = saved(tmp_path, "test_resnet", ".pth")
    other, missing = {**state, "layer1.0.conv1.weight": torch.ones(2, 2)}, dict(state)
    missing.pop("layer1.0.conv1.weight")
    for content, message in (
        (
            other,
            r"layer1.0.conv1.weight is \[2, 2\] there, and \[32, 32, 3, 3\] in the model; choose another",
        ),
        (missing, r'Missing key\(s\) in state_dict: "layer1.0.conv1.weight"'),
        ({"fc.weight": torch.ones(2)}, "weights.pth holds nothing but a classifier; choose another"),
        ({"a": torch.ones(2)}, "does not fit test_resnet: Missing"),
        ([1], "cannot be read"),
        ({"a": {"b": 1}}, "holds no tensors by name"),
        ({}, "holds no tensors by name"),
        ({"a": 1}, "holds no tensors by name"),
    ):
        torch.save(content, file)
        with pytest.raises(InputError, match=message):
            built("test_resnet", 3, 32, file)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("content", [b"", b"x" * 100])
def test_a_broken_file_is_named(tmp_path, suffix, content):
    file = tmp_path / f"weights{suffix}"
    file.write_bytes(content)
    with pytest.raises(InputError, match=rf"weights{suffix} cannot be read \(.*\); give the path of a .safetensors"):
        built("test_resnet", 3, 32, file)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"model.pretrained: /.*/nowhere.pth is no file; give the path of a"):
        built("test_resnet", 3, 32, "nowhere.pth")


def test_a_download_that_fails_is_one_line(monkeypatch):
    create = timm.create_model

    def offline(name, pretrained=False, **options):
        if pretrained:
            raise OSError("no route to host\nand more")
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        InputError, match=r"^model.pretrained: timm has no weights of test_resnet \(no route to host and more\);"
    ):
        built("test_resnet", 3, 32, "timm")


def test_a_path_is_kept_from_the_root(tmp_path):
    asked = settings("model=timm", "model.pretrained=weights.pth")
    assert asked.model.pretrained == str(tmp_path / "weights.pth")
    assert configuration.plain(settings("model=timm", "model.pretrained=timm"))["model"]["pretrained"] == "timm"


# What cannot be -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.name=resnet81"], "^model.name: 'resnet81' is none of timm's; did you mean resnet18.$"),
        (["model.name=qqqq"], "^model.name: 'qqqq' is none of timm's; see: timm.list_models()"),
        (["model.name=resnet18.nothing"], r"^model.name: .* tag \(nothing\) for resnet18; did you mean resnet18\?$"),
        (["model.name=resnet18."], r"^model.name: .* tag \(\) for resnet18; did you mean resnet18\?$"),
        (["model.name=test_vit"], r"^model.name: test_vit takes no images of 1x8x8 \(.*patch size \(16\)\); choose"),
        (["dataset=sentences"], "^model: timm/resnet18 takes images, and dataset=sentences has texts$"),
        (["model.name=vgg11"], "^model.name: vgg11 takes no images of 1x8x8"),
        (
            ["model.name=dm_nfnet_f0", "init_from=x", "model.pretrained=timm"],
            "^init_from: replaces the weights of timm;",
        ),
        (["model.width=8"], "model.width: has no effect with a timm model; it is a setting of"),
        (
            ["model.name=test_mambaout", "method=layerwise"],
            "^model.name: this model has no taps for exits to leave at; sdrun taps shows which has$",
        ),
    ],
)
def test_what_cannot_be_is_one_short_line(overrides, message):
    with pytest.raises(InputError, match=message):
        check("model=timm", *overrides)


def test_a_view_of_a_size_that_a_model_of_one_size_cannot_take(tmp_path):
    own = f"dataset.root={npz(tmp_path / 'a.npz', x=np.zeros((40, 32, 32), np.uint8), y=np.arange(40) % 2)}"
    words = ("dataset=arrays", own, "method=dino", "model=timm", "model.name=mixer_s16_224")
    message = r"^dataset.views.local.size: timm/mixer_s16_224, made for images of 1x32x32, takes no images of 1x16x16 "
    with pytest.raises(InputError, match=message + r"\(Input height \(16\) doesn't match model \(32\)\); choose"):
        check(*words, "dataset.views.local.size=16")
    check(*words, "dataset.views.local.size=32")


def test_a_model_that_ends_in_maps_is_none(monkeypatch):
    monkeypatch.setattr(timm, "create_model", lambda name, **_: nn.Conv2d(1, 2, 3))
    with pytest.raises(InputError, match=r"^model.name: regnetx_004 gives no features \[B, D\]; choose another$"):
        check("model=timm", "model.name=regnetx_004")


def test_without_timm_it_is_named_with_its_cure(monkeypatch):
    from sdrun.models.timm import settings as own

    monkeypatch.setattr(own, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"^model: timm/resnet18 needs the timm library; get it by: pip install"):
        check("model=timm")


def test_composing_asks_nothing_of_timm():
    assert compose("model=timm", "model.name=nothing").model.architecture == "timm"
