"""The multiply-adds of a training step."""

import torch

from helpers import classifier, images, settings, start, summary, weights
from sdrun import loop, models
from sdrun.counting import Counter, multiply_adds

BATCH = 40


def forward_cost() -> int:
    network = classifier(models.build(settings("model.widths=[8,8]").model, images(1, 8)), 10)
    return multiply_adds(network.eval(), torch.zeros(1, 1, 8, 8))


def test_a_step_is_three_forwards_but_for_the_gradient_of_the_images(tmp_path):
    (stage,) = summary(start(tmp_path / "run", "method=supervised", "optim.max_steps=2"))["stages"]
    assert stage["samples"] == 2 * BATCH
    assert stage["multiply_adds"] == stage["samples"] * (3 * forward_cost() - first_layer())


def first_layer() -> int:
    backbone = models.build(settings("model.widths=[8,8]").model, images(1, 8))
    first = next(module for module in backbone.modules() if isinstance(module, torch.nn.Conv2d))
    shapes = []
    first.register_forward_hook(lambda module, inputs, output: shapes.append(output.shape))
    backbone.eval()(torch.zeros(1, 1, 8, 8))
    return first.weight.numel() * shapes[0][2] * shapes[0][3]


def test_a_teachers_forward_counts(tmp_path):
    plain, taught, _ = summary(start(tmp_path / "run", "method=born_again", "generations=2", "optim.max_steps=2"))[
        "stages"
    ]
    assert taught["multiply_adds"] - plain["multiply_adds"] == 2 * BATCH * forward_cost()


def test_accumulated_parts_cost_what_they_cost_together(tmp_path):
    whole = summary(start(tmp_path / "whole", "method=supervised", "optim.max_steps=2"))["compute"]
    parts = summary(start(tmp_path / "parts", "method=supervised", "optim.max_steps=2", "optim.accumulate=2"))[
        "compute"
    ]
    assert parts["multiply_adds"] == whole["multiply_adds"]


def test_counting_changes_nothing(tmp_path, monkeypatch):
    counted = weights(start(tmp_path / "counted", "method=dino", "optim.max_steps=3"))
    monkeypatch.setattr(loop, "Counter", lambda is_on: Counter(is_on=False))
    plain = weights(start(tmp_path / "plain", "method=dino", "optim.max_steps=3"))
    assert all(torch.equal(counted[name], plain[name]) for name in counted)


def test_attention_counts_on_a_cpu():
    backbone = models.build(settings("model=vit_tiny", "model.width=24", "model.depth=1").model, images(1, 16))
    tokens, width = 17, 24
    block = tokens * width * width * (3 + 1 + 8) + 2 * tokens * tokens * width
    counted = multiply_adds(backbone.eval(), torch.randn(1, 1, 16, 16))
    assert counted == 16 * 16 * width + block  # patches of 4x4 pixels, and the block
