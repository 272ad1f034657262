"""Quantisation: few values a weight, ranges that are tuned, and what is learned with them."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import sdrun
from helpers import check, manifest, settings, start, summary
from sdrun.comparison.runs import read
from sdrun.comparison.stages import baselines
from sdrun.errors import InputError
from sdrun.methods.quantise.rounding import Coarse, Rounded, RoundedInputs, packed_bytes, quantised
from sdrun.models.backbone import Network

QUANTISE = ("method=quantise", "dataset.num_labels=60", "optim.lr=0.02")


def weight(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("bits", [8, 4, 3, 2])
def test_weights_of_a_linear_layer_are_those_of_torchao(bits):
    from torchao.quantization.granularity import PerAxis
    from torchao.quantization.qat import IntxFakeQuantizeConfig, IntxFakeQuantizer

    kind = {8: torch.int8, 4: torch.int4, 3: torch.int3, 2: torch.int2}[bits]
    oracle = IntxFakeQuantizer(IntxFakeQuantizeConfig(kind, PerAxis(0)))
    own, other = (weight(6, 9).requires_grad_() for _ in range(2))
    results = Rounded(bits, 6)(own), oracle(other)
    torch.testing.assert_close(*results, rtol=0, atol=0)
    for result in results:
        (result * torch.arange(9.0)).sum().backward()
    steps = own.detach() / own.detach().abs().amax(dim=1, keepdim=True) * (2**bits - 1) / 2
    inside = (steps.round() < 2 ** (bits - 1) - 1) & (steps.round() > -(2 ** (bits - 1)))  # the ends are a convention
    assert own.grad[inside].abs().sum() > 0
    torch.testing.assert_close(own.grad[inside], other.grad[inside])
    passed = steps.round() <= 2 ** (bits - 1) - 1
    clear = (steps - steps.round()).abs() < 0.49  # at a half a hair decides
    torch.testing.assert_close(own.grad[clear], (passed * torch.arange(9.0))[clear])


@pytest.mark.parametrize("bits", [8, 4, 3, 2])
def test_each_channel_takes_few_values_of_which_one_is_0(bits):
    rounded = Rounded(bits, 3)(weight(3, 5, 7, 7))
    for channel in rounded:
        values = channel.unique()
        assert len(values) <= 2**bits
        steps = values / values.abs().min().clamp_min(values[values != 0].abs().min())
        torch.testing.assert_close(steps, steps.round(), atol=1e-3, rtol=0)


def test_a_tuned_range_has_the_least_error_and_is_no_wider_than_the_weights():
    w, errors = weight(4, 50), []
    rounded = Rounded(2, 4)
    for share in torch.linspace(0.3, 1.0, 71):
        rounded.share.fill_(share)
        errors.append((rounded(w) - w).square().sum(dim=1))
    rounded.tune(w)
    torch.testing.assert_close((rounded(w) - w).square().sum(dim=1), torch.stack(errors).amin(dim=0))
    assert (rounded.share <= 1).all()
    assert (rounded.share < 0.9).any()


def test_a_channel_of_zeros_stays_0():
    w = torch.zeros(2, 4, requires_grad=True)
    rounded = Rounded(4, 2)
    rounded.tune(w)
    rounded(w).sum().backward()
    assert (rounded(w) == 0).all()
    assert w.grad.isfinite().all()


def test_inputs_have_the_range_that_training_saw():
    inputs, x = RoundedInputs(4), torch.linspace(-1, 3, 101)
    told = inputs(x)
    assert inputs.ends.tolist() == [-1, 3]
    assert (told - x).abs().max() <= 4 / 15 / 2 + 1e-6
    assert len(told.unique()) == 16
    assert (told == 0).any()
    inputs(2 * x)
    torch.testing.assert_close(inputs.ends, torch.tensor([-1.01, 3.03]))
    inputs.eval()
    torch.testing.assert_close(inputs(torch.tensor([50.0])), torch.tensor([3.03]), atol=0.2, rtol=0)
    torch.testing.assert_close(inputs.ends, torch.tensor([-1.01, 3.03]))


def test_layers_compute_with_rounded_weights_and_the_ends_have_bits_of_their_own():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2, padding=1, bias=False))
    network = nn.Sequential(body, nn.Flatten(), nn.Linear(36, 3))
    coarse = quantised(network, 2, 8, 4)
    layers = [part for part in coarse.modules() if isinstance(part, Coarse)]
    assert [layer.rounded.bits for layer in layers] == [8, 2, 8]
    assert [layer.inputs is not None for layer in layers] == [False, True, True]
    middle, x = layers[1].eval(), torch.randn(2, 4, 6, 6)
    seen, w = middle.inputs(x), middle.rounded(middle.layer.weight)
    torch.testing.assert_close(middle(x), F.conv2d(seen, w, None, 2, 1))
    torch.testing.assert_close(middle.weight, w)


def test_packed_bytes_are_bits_and_a_scale_a_channel():
    network = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 4, bias=False))
    coarse = quantised(network, 2, 4, None)
    weights = (8 * 16 + 16 * 4) * 4 / 8 + 4 * (16 + 4)
    assert packed_bytes(coarse) == weights + 4 * 16 + 4 * 4 * 16 + 8  # bias; BatchNorm, which counts its batches


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    asked = ("method=supervised", "optim.lr=0.1", "optim.epochs=30", "dataset.num_labels=60")
    return start(tmp_path_factory.mktemp("runs") / "teacher", *asked)


@pytest.fixture(scope="module")
def coarse(tmp_path_factory, teacher):
    return start(tmp_path_factory.mktemp("runs") / "run", *QUANTISE, f"teacher_from={teacher}", "method.bits=2")


def test_its_stages_are_the_network_as_it_was_rounded_and_trained_twice(coarse, teacher):
    found = read(coarse)
    assert list(found.stages) == ["teacher", "rounded", "by_labels", "quantised"]
    assert baselines(found) == ["rounded", "by_labels"]
    assert found.stages["teacher"]["other"] == "full precision"
    (told,) = manifest(coarse)["teachers"]["quantised"]
    assert told["run"] == str(teacher)
    assert found.metric("teacher:test/accuracy") == summary(teacher)["metrics"]["test/accuracy"]
    sizes = [found.metric(f"{stage}:model/bytes") for stage in ("teacher", "rounded", "quantised")]
    assert sizes[0] > 2 * sizes[1] == 2 * sizes[2]
    assert found.metric("quantised:test/milliseconds_batch_1") is None, "nothing here runs faster"


def test_training_gives_back_what_rounding_took(coarse):
    agreement = {name: stage["metrics"].get("test/teacher_agreement") for name, stage in read(coarse).stages.items()}
    assert agreement["quantised"] > agreement["rounded"] + 0.1


def test_at_8_bits_nothing_is_lost(teacher, tmp_path):
    asked = (f"teacher_from={teacher}", "method.bits=8", "method.by_labels=false", "optim.epochs=1")
    path = start(tmp_path / "run", *QUANTISE, *asked)
    assert read(path).metric("rounded:test/teacher_agreement") > 0.98


def test_it_is_used_without_the_run_that_it_came_from(teacher, tmp_path):
    moved = tmp_path / "teacher"
    path = start(tmp_path / "run", *QUANTISE, f"teacher_from={teacher}", "method.activation_bits=8", "optim.epochs=1")
    teacher.rename(moved)
    try:
        model = sdrun.load(path)
        assert isinstance(model.network, Network)
        assert model.predict(np.zeros((2, 1, 8, 8), np.uint8)).shape == (2, 10)
    finally:
        moved.rename(teacher)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("method.bits=5",), "method.bits: must be one of 8, 4, 3, 2, but is 5"),
        (("method.activation_bits=1",), "method.activation_bits: must be one of 8, 4, 3, 2, but is 1"),
        (("method.targets=labels", "control=hard"), "control: hard makes no sense with method=quantise as it is"),
    ],
)
def test_bits_that_do_not_exist_are_refused(words, message):
    with pytest.raises(InputError, match=message):
        settings("method=quantise", "teacher_from=a", *words)


def test_a_run_of_another_model_or_that_is_not_there_is_named(teacher, tmp_path):
    with pytest.raises(InputError, match="teacher_from: needs the folder of one finished run"):
        check("method=quantise")
    with pytest.raises(InputError, match="nowhere holds no run"):
        check("method=quantise", "teacher_from=nowhere")
    asked = (*QUANTISE, f"teacher_from={teacher}", "model.widths=[8,4]")
    told = r"is of another model: backbone.entries.1.0.weight is \[8, 8, 3, 3\] there and \[4, 8, 3, 3\] here"
    with pytest.raises(InputError, match=told):
        start(tmp_path / "run", *asked)
    with pytest.raises(InputError, match="sees items of another size, mean or spread than this run"):
        start(tmp_path / "other", *QUANTISE, f"teacher_from={teacher}", "dataset.mean=[0.1]", "dataset.std=[0.5]")
