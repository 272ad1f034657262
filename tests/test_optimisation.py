"""Schedules and optimisers against torch's own."""

import pytest
import torch
from torch import nn

from helpers import images, settings, start
from sdrun import models, optimizers
from sdrun.schedules import lr_factor
from sdrun.settings import Schedule


@pytest.mark.parametrize(("total", "warmup"), [(100, 0.3), (37, 0.2), (10, 0.5)])
def test_one_cycle_equals_torch(total, warmup):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=total, pct_start=warmup, cycle_momentum=False
    )
    for step in range(total):
        ours = lr_factor(Schedule.one_cycle, warmup, step, total)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9, abs=1e-12)
        optimizer.step()
        if step + 1 < total:
            reference.step()


def test_cosine_and_constant():
    factors = [lr_factor(Schedule.cosine, 0.1, step, 100) for step in range(100)]
    assert factors[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert factors[10] == 1.0
    assert factors[55] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(0.0003, abs=1e-3)
    assert [lr_factor(Schedule.constant, 0.0, step, 5) for step in range(5)] == [1.0] * 5


@pytest.mark.parametrize("schedule", list(Schedule))
@pytest.mark.parametrize("warmup", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("total", [1, 2, 5])
def test_short_trainings_have_a_schedule_too(schedule, warmup, total):
    factors = [lr_factor(schedule, warmup, step, total) for step in range(total)]
    assert all(0 <= factor <= 1 for factor in factors)


@pytest.mark.parametrize("model", ["cnn", "vit_tiny"])
def test_biases_norms_and_embeddings_do_not_decay(model):
    network = models.build(settings(f"model={model}").model, images(1, 8))
    decayed, plain = optimizers.parameter_groups(network, 0.1)
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)
    assert len(decayed["params"]) + len(plain["params"]) == len(list(network.parameters()))
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    for parameter in decayed["params"]:
        assert parameter.ndim > 1
        assert "token" not in names[id(parameter)]
        assert "positions" not in names[id(parameter)]


def test_each_parameter_is_clipped_by_itself():
    large, small, unused = (nn.Parameter(torch.zeros(4)) for _ in range(3))
    large.grad, small.grad = torch.full((4,), 5.0), torch.full((4,), 0.1)
    optimizers.clip([large, small, unused], settings("optim.clip_each=3").optim)
    torch.testing.assert_close(large.grad, torch.full((4,), 1.5))
    torch.testing.assert_close(small.grad, torch.full((4,), 0.1))


def test_gradients_are_clipped_together_as_torch_does():
    ours, theirs = ([nn.Parameter(torch.zeros(3)) for _ in range(2)] for _ in range(2))
    for one, other in zip(ours, theirs, strict=True):
        one.grad = torch.randn(3, generator=torch.Generator().manual_seed(0)) * 10
        other.grad = one.grad.clone()
    optimizers.clip(ours, settings("optim.clip_norm=1").optim)
    nn.utils.clip_grad_norm_(theirs, 1.0)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize(("first", "expected"), [(0.1, [0.1, 0.1586, 0.3, 0.4414]), (0, [0, 0.0732, 0.25, 0.4268])])
def test_weight_decay_moves_as_half_a_cosine_where_weights_decay(tmp_path, monkeypatch, first, expected):
    seen = []
    step = torch.optim.AdamW.step
    monkeypatch.setattr(
        torch.optim.AdamW,
        "step",
        lambda self: seen.append([g["weight_decay"] for g in self.param_groups]) or step(self),
    )
    decay = (f"optim.weight_decay={first}", "optim.weight_decay_end=0.5", "optim.max_steps=4")
    start(tmp_path / "run", "method=supervised", "optim=adamw", *decay)
    assert [decayed for decayed, _ in seen] == pytest.approx(expected, abs=1e-4)
    assert {plain for _, plain in seen} == {0.0}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_fused_steps_equal_plain_ones(name):
    def step(fused):
        torch.manual_seed(0)
        layer = nn.Linear(4, 3)
        optimizer = optimizers.build(settings(f"optim={name}").optim, layer, torch.device("cpu"))
        for group in optimizer.param_groups:
            assert group["fused"]
            group["fused"] = fused
        for _ in range(3):
            layer(torch.ones(2, 4)).square().sum().backward()
            optimizer.step()
        return layer.weight.detach()

    torch.testing.assert_close(step(True), step(False))


def test_steps_that_epochs_end_before_are_warned_of(tmp_path):
    short = start(tmp_path / "short", "method=supervised", "optim.epochs=1", "optim.max_steps=9999")
    log = (short / "run.log").read_text()
    (told,) = (line for line in log.splitlines() if "WARNING" in line and "max_steps" in line)
    assert told.endswith("steps, which are optim.epochs=1; for optim.max_steps=9999 raise that")
    enough = start(tmp_path / "enough", "optim.epochs=1", "optim.max_steps=1")
    assert "for optim.max_steps=" not in (enough / "run.log").read_text()
