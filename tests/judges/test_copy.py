"""The test set seen through a view, judged beside the test set itself."""

import numpy as np
import pytest
import torch

from helpers import differences, images, settings, start, summary
from sdrun import tasks
from sdrun.data.splits import split
from sdrun.errors import InputError
from sdrun.hardware import Hardware


def test_a_copy_of_the_test_set_is_judged_through_a_view(tmp_path):
    asked = ("method=supervised", "dataset.test_view=strong")
    runs = [start(tmp_path / str(seed), *asked, f"seed={seed}", "dataset.seed=0") for seed in (0, 1)]
    metrics = summary(runs[0])["metrics"]
    assert {"test_strong/accuracy", "test_strong/nll_calibrated", "test_strong/agreement"} <= metrics.keys()
    with np.load(runs[0] / "predictions/supervised.npz") as found:
        same = found["test_logits"].argmax(1) == found["test_strong_logits"].argmax(1)
        right = found["test_strong_logits"].argmax(1) == found["test_strong_labels"]
        assert np.array_equal(found["test_strong_labels"], found["test_labels"])
    assert metrics["test_strong/agreement"] == pytest.approx(same.mean())
    assert metrics["test_strong/accuracy"] == pytest.approx(right.mean())
    assert metrics["test_strong/accuracy"] != metrics["test/accuracy"]
    plain = start(tmp_path / "plain", "method=supervised", "dataset.seed=0")
    assert differences(plain, start(tmp_path / "again", "method=supervised", "dataset.seed=0")) == []
    assert summary(plain)["metrics"]["test/accuracy"] == metrics["test/accuracy"]


def test_the_copy_is_the_same_for_every_seed_and_another_for_another_view():
    hardware = Hardware.start(settings("hardware.device=cpu", "hardware.threads=1").hardware)

    def copy(*overrides):
        asked = settings("dataset=digits", "dataset.test_view=strong", *overrides).dataset
        task = tasks.build(asked, split(tasks.load(asked), asked), hardware)
        return task.parts["test_strong"].fields["image"]

    assert copy().dtype == torch.uint8
    assert torch.equal(copy(), copy("seed=5"))
    assert not torch.equal(copy(), copy("dataset.views.strong.rotate=90"))


@pytest.mark.parametrize("method", ["layerwise", "dino"])
def test_other_kinds_of_evaluation_judge_the_copy_too(method, tmp_path):
    path = start(tmp_path / "run", f"method={method}", "dataset.test_view=strong", "optim.max_steps=2")
    assert "test_strong/accuracy" in summary(path)["metrics"]


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("dataset.test_view=clean", "dataset.test_view: is not among the views weak"),
        ("dataset.test_view=local", "dataset.test_view: local has another size than the images"),
    ],
)
def test_a_view_that_cannot_be_a_copy_is_named(override, text):
    def check():
        settings("dataset=fashion_mnist", override).check_data(images(1, 28), 60000, 1)

    with pytest.raises(InputError, match=text):
        check()


def test_the_clean_view_can_train(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "method.view=clean")
    assert summary(path)["status"] == "completed"
