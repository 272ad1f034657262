"""A stage whose weights or predictions are NaN or infinite is an error, and is not written as finished."""

import pytest
import torch

from helpers import settings, start, summary
from sdrun import loop, tasks
from sdrun.data.splits import split
from sdrun.errors import RunError
from sdrun.hardware import Hardware
from sdrun.judges.classification import Classification
from sdrun.judges.parts import Parts, require_finite
from sdrun.judges.representation import Representation
from sdrun.storage.folder import RunFolder

REMEDY = "lower optim.lr, or set optim.clip_norm=1"
ABSURD = ("optim.lr=1e38", "optim.schedule=constant", "optim.max_steps=1")


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        (("method=supervised", *ABSURD), "supervised: the network's outputs for val are not finite"),
        (
            ("method=supervised", *ABSURD, "dataset.val_size=0"),
            "supervised: the (weights|network's outputs for test) are",
        ),
        (
            ("method=dino", *ABSURD, "optim.weight_decay=1", "optim=sgd"),
            "dino: the network's outputs for (val|train) are not finite",
        ),
    ],
)
def test_a_stage_that_diverged_with_its_last_update_is_an_error(tmp_path, overrides, what):
    with pytest.raises(RunError, match=f"^{what}.*{REMEDY}$"):
        start(tmp_path / "run", *overrides)
    assert summary(tmp_path / "run")["status"] == "failed"
    assert RunFolder.open(tmp_path / "run").finished("supervised") is None


@pytest.mark.parametrize("select", ["last", "best"])
def test_weights_that_end_as_nan_are_an_error_whatever_was_best_before(tmp_path, monkeypatch, select):
    def train(*arguments, **options):
        state = original(*arguments, **options)
        arguments[0].student.head.bias.data[0] = float("nan")
        return state

    original = loop.train
    monkeypatch.setattr(loop, "train", train)
    with pytest.raises(RunError, match=f"^supervised: the weights are not finite; {REMEDY}$"):
        start(tmp_path / "run", "method=supervised", "optim.epochs=1", f"optim.select={select}")


def test_whole_numbers_and_masks_are_let_be():
    require_finite("the weights", [torch.tensor([-1]), torch.tensor([True]), torch.tensor([1.0])])
    with pytest.raises(RunError, match="^the weights are not finite; "):
        require_finite("the weights", [torch.tensor([1.0]), torch.tensor([0.0, -float("inf")])])


@pytest.mark.parametrize("kind", [Classification, Representation])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_network_that_gives_no_numbers_is_not_judged(kind, value):
    chosen = settings("dataset=digits", "hardware.device=cpu")
    hardware, data = Hardware.start(chosen.hardware), chosen.dataset
    evaluation = kind(Parts(tasks.build(data, split(tasks.load(data), data), hardware), hardware))
    network = {"": lambda images: images.new_full((len(images), 10), value)}
    for judge in (evaluation.validate, evaluation.full):
        with pytest.raises(RunError, match="^the network's outputs for .* are not finite; "):
            judge(network)
