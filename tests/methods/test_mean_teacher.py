"""Mean teacher: what its loss is, who has labels, and that the teacher follows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers import points, settings, start, summary, weights
from sdrun import tasks
from sdrun.answers.categorical import Categorical
from sdrun.data.splits import split
from sdrun.losses.consistency import probability_mse
from sdrun.methods.mean_teacher.objective import MeanTeacher
from sdrun.randomness import Draws
from sdrun.streams.batch import Batch

FEW = ("method=mean_teacher", "dataset.num_labels=40", "optim.batch_size=20")


def batch(step=0):
    generator = torch.Generator().manual_seed(step)

    def part(num, known):
        views = [torch.randn(num, 1, 2, 2, generator=generator) for _ in range(2)]
        return Batch(step, torch.arange(num), {"weak": views}, known, Draws((0,), slice(0, num), num))

    labelled = part(4, {"label": torch.tensor([0, 1, 2, 0])})
    return replace(labelled, beside={"unlabelled": part(8, {})})


def objective(*overrides, num_steps=10):
    torch.manual_seed(0)
    student = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    return MeanTeacher(student, Categorical(3), settings("method=mean_teacher", *overrides).method, num_steps)


def test_the_consistency_loss_is_the_papers_mean_over_classes():
    student, teacher = torch.randn(5, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    expected = sum(((p - q) ** 2).sum() / 3 for p, q in zip(student.softmax(1), teacher.softmax(1), strict=True)) / 5
    loss = probability_mse(student, teacher)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert teacher.grad is None


@pytest.mark.parametrize("kind", ["mse", "kl"])
def test_labels_count_where_they_are_and_consistency_everywhere(kind):
    o = objective(f"method.consistency={kind}", "method.ramp_up=0", "method.weight=3")
    with torch.no_grad():
        o.teacher.network[1].weight.add_(0.3)
    b = batch()
    terms = o(b).terms
    seen = torch.cat([b.views["weak"][0], b.beside["unlabelled"].views["weak"][0]])
    other = torch.cat([b.views["weak"][1], b.beside["unlabelled"].views["weak"][1]])
    z, t = o.student(seen), o.teacher.network(other)
    torch.testing.assert_close(terms["ce"], F.cross_entropy(z[:4], b.known["label"]))
    if kind == "mse":
        expected = (z.softmax(1) - t.softmax(1)).square().mean()
    else:
        expected = F.kl_div(z.log_softmax(1), t.softmax(1), reduction="batchmean")
    torch.testing.assert_close(terms["consistency"], 3 * expected)


def test_the_weight_rises_as_a_sigmoid():
    plain, rising = objective("method.ramp_up=0", "method.weight=1"), objective("method.ramp_up=0.5", "method.weight=2")
    for o in (plain, rising):
        with torch.no_grad():
            o.teacher.network[1].weight.add_(0.3)
    for step, factor in ((0, 2 * np.exp(-5)), (2, 2 * np.exp(-5 * 0.6**2)), (5, 2), (9, 2)):
        ratio = rising(batch(step)).terms["consistency"] / plain(batch(step)).terms["consistency"]
        assert ratio.item() == pytest.approx(factor, rel=1e-5)


def test_the_teacher_follows_each_step():
    o = objective("method.momentum=0.9", "method.momentum_schedule=constant")
    before = o.teacher.network[1].weight.clone()
    with torch.no_grad():
        o.student[1].weight.add_(1.0)
    o.after_step(1)
    torch.testing.assert_close(o.teacher.network[1].weight, before + 0.1)


def test_labels_are_a_stratified_part_of_the_training_images():
    few = settings("dataset=digits", "dataset.num_labels=50", "seed=3").dataset
    splits = split(tasks.load(few), few)
    assert len(splits.labelled) == 50
    assert np.bincount(splits.train.labels[splits.labelled]).tolist() == pytest.approx([5] * 10, abs=1)
    everything = settings("dataset=digits", "seed=3").dataset
    assert np.array_equal(split(tasks.load(everything), everything).labelled, np.arange(len(splits.train)))


def test_an_unlabelled_image_never_shows_its_label(tmp_path, monkeypatch):
    shown = []
    forward = MeanTeacher.forward

    def watch(self, b):
        shown.append((b.index, b.known["label"], b.beside["unlabelled"]))
        return forward(self, b)

    monkeypatch.setattr(MeanTeacher, "forward", watch)
    start(tmp_path / "run", *FEW, "optim.epochs=3")
    labelled = torch.cat([index for index, _, _ in shown]).unique()
    assert len(labelled) == 40
    assert all((label >= 0).all() for _, label, _ in shown)
    assert all(b.known == {} for _, _, b in shown)
    assert len(torch.cat([b.index for _, _, b in shown]).unique()) > 100


@pytest.mark.parametrize("num_labels", [40, 10])
def test_methods_take_as_many_steps_however_few_the_labels(tmp_path, num_labels):
    few = (f"dataset.num_labels={num_labels}", "optim.batch_size=20", "optim.epochs=2")
    for name in ("supervised", "mean_teacher"):
        path = start(tmp_path / name, *few, f"method={name}")
        assert summary(path)["stages"][0]["steps"] == 2 * (120 // 20)


def test_the_ratio_is_that_of_unlabelled_to_labelled_images(tmp_path, monkeypatch):
    shown = []
    forward = MeanTeacher.forward
    monkeypatch.setattr(
        MeanTeacher, "forward", lambda self, b: shown.append((len(b), len(b.beside["unlabelled"]))) or forward(self, b)
    )
    start(tmp_path / "run", *FEW, "dataset.num_labels=10", "method.unlabelled_ratio=3", "optim.epochs=1")
    assert set(shown) == {(20, 60)}


def test_teacher_and_student_are_both_evaluated_and_differ(tmp_path):
    path = start(tmp_path / "run", *FEW)
    metrics = summary(path)["metrics"]
    assert {"test/nll", "test/student/nll", "val/student/temperature"} <= metrics.keys()
    assert metrics["test/nll"] != metrics["test/student/nll"]
    found = weights(path)
    assert not torch.equal(
        found["mean_teacher/last/teacher.network.head.weight"], found["mean_teacher/last/student.head.weight"]
    )
    with np.load(path / "predictions/mean_teacher.npz") as arrays:
        assert {"test_logits", "test_student_logits", "test_labels"} <= set(arrays)
    shares = [value for _, _, _, name, value in points(path) if name == "train/gradient_share_consistency"]
    assert shares[-1] > 0.01
