"""Refined labels, and students of them."""

import csv

import numpy as np
import pytest
import torch

from helpers import SMALL, interrupted, settings, start, summary
from sdrun import run
from sdrun.errors import InputError
from sdrun.methods.refine.folds import folds
from sdrun.methods.refine.labels import refined
from sdrun.storage.folder import RunFolder

REFINE = ("method=refine", "dataset.label_noise=0.3", "optim.max_steps=6")
DROP = ("method=refine", "dataset.label_noise=0.3", "method.action=drop", "method.belief_length=1", "optim.epochs=30")


def test_every_class_is_in_every_fold():
    labels = np.repeat([0, 1, 2], [50, 7, 3])
    of = folds(labels, 3, seed=1)
    for label in range(3):
        sizes = np.bincount(of[labels == label], minlength=3)
        assert sizes.min() >= 1
        assert sizes.max() - sizes.min() <= 1
    assert not np.array_equal(of, folds(labels, 3, seed=2))


GIVEN = torch.eye(3)[[0, 1]]
CLASSES = torch.tensor([[0.9, 0.1, 0], [0.6, 0.3, 0.1]])
BELIEFS = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]])
SUSPECT = torch.tensor([False, True])
ACTIONS = {
    ("mix", 1.5, "soft"): [[0.55, 0.3, 0.15], [0.75, -0.05, 0.3]],
    ("mix", 0.5, "hard"): [[1, 0, 0], [0.5, 0.5, 0]],
    ("relabel", 1, "soft"): [[1, 0, 0], [0.6, 0.3, 0.1]],
    ("posterior", 1, "soft"): [[0.9, 0.1, 0], [0.6, 0.3, 0.1]],
    ("posterior", 1, "hard"): [[1, 0, 0], [1, 0, 0]],
    ("relabel", 1, "hard"): [[1, 0, 0], [1, 0, 0]],
    ("top2", 1, "soft"): [[0.5, 0.5, 0], [0.5, 0.5, 0]],
    ("drop", 1, "soft"): [[1, 0, 0], [0, 0, 0]],
    ("reweight", 1, "soft"): [[1.4, 0, 0], [0, 0.6, 0]],
}


@pytest.mark.parametrize("asked", ACTIONS)
def test_labels_become(asked):
    action, alpha, targets = asked
    words = [f"method.action={action}", f"method.alpha={alpha}", f"method.targets={targets}"]
    labels = refined(settings("method=refine", *words).method, GIVEN, BELIEFS, SUSPECT, CLASSES)
    torch.testing.assert_close(labels, torch.tensor(ACTIONS[asked], dtype=torch.float32))


def test_what_no_model_saw_is_judged_and_written(tmp_path):
    start(tmp_path / "run", *REFINE)
    folder = RunFolder.open(tmp_path / "run")
    stages = [stage.name for stage in folder.results()]
    assert stages == [*(f"round_1_fold_{fold}" for fold in range(3)), "round_1_labels", "round_1_audit", "round_1"]
    with (tmp_path / "run/refined_labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    metrics = summary(tmp_path / "run")["metrics"]
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    disagree = np.mean([row["suspect"] == "yes" for row in rows])
    assert disagree == pytest.approx(metrics["labels/suspects"])
    assert len({row["row"] for row in rows}) == len(rows)
    assert metrics["labels/noise_rate_low"] <= metrics["labels/noise_rate"] <= metrics["labels/noise_rate_high"]
    shares = [sum(float(row[f"learned_{name}"]) for name in range(10)) for row in rows]
    assert shares == pytest.approx([1] * len(rows), abs=0.002)


def test_the_file_says_which_item_of_the_data_it_means(tmp_path):
    from sdrun import tasks

    start(tmp_path / "run", *REFINE, "dataset.label_noise=0")
    published = tasks.load(settings(*SMALL).dataset)
    with (tmp_path / "run/refined_labels.csv").open() as file:
        for row in csv.DictReader(file):
            assert published.classes[published.train.labels[int(row["row"])]] == row["given"]


@pytest.mark.parametrize(
    "words",
    [("method.action=drop", "method.finder=confident"), ("method.rounds=2", "method.start=on", "checkpoint_seconds=0")],
)
def test_it_resumes_bitwise(tmp_path, monkeypatch, words):
    start(tmp_path / "whole", *REFINE, *words)
    last = settings(*SMALL, *REFINE, *words).method.stages[-1]
    interrupted(tmp_path / "parts", last, 4, monkeypatch, *REFINE, *words)
    run.resume(tmp_path / "parts")
    whole, parts = (RunFolder.open(tmp_path / name) for name in ("whole", "parts"))
    assert [stage.sha256 for stage in whole.results()] == [stage.sha256 for stage in parts.results()]
    for name in ("refined_labels.csv",):
        assert (whole.path / name).read_bytes() == (parts.path / name).read_bytes()


def test_a_control_puts_other_beliefs_in_their_place(tmp_path):
    made = {}
    for control in ("none", "shuffled", "constant"):
        start(tmp_path / control, *REFINE, f"control={control}")
        metrics = summary(tmp_path / control)["metrics"]
        made[control] = metrics["labels/average_precision"], metrics["labels/proposed_accuracy"]
    assert len(set(made.values())) == 3


def test_a_control_leaves_out_as_many_items_as_models_would_and_others(tmp_path):
    left = {}
    for control in ("none", "shuffled", "constant"):
        start(tmp_path / control, *DROP, f"control={control}")
        with (tmp_path / control / "refined_labels.csv").open() as file:
            rows = list(csv.DictReader(file))
        learned = [name for name in rows[0] if name.startswith("learned_")]
        left[control] = {row["row"] for row in rows if sum(float(row[name]) for name in learned) > 0}
    assert len({len(rows) for rows in left.values()}) == 1
    assert left["none"] != left["shuffled"]


def test_dropping_everything_is_refused():
    chosen = settings("method=refine", "method.action=drop").method
    with pytest.raises(InputError, match="method.action: drop would leave no item"):
        refined(chosen, GIVEN, BELIEFS, torch.tensor([True, True]), CLASSES)


REFUSED = {
    ("method.folds=0",): "method.folds: must be at least 1",
    ("method.rounds=0",): "method.rounds: must be at least 1",
    ("method.belief_length=0",): "method.belief_length: must be above 0",
    ("method.action=drop", "method.alpha=0.5"): "method.alpha: has no effect with method.action=drop",
    ("method.action=top2", "method.targets=hard"): "method.targets: has no effect with method.action=top2",
    ("method.action=posterior", "method.finder=confident"): "method.action: posterior is method.action=relabel with",
    ("method.start=on",): "method.start: has no effect in one round",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_makes_no_sense_is_refused(words):
    with pytest.raises(InputError, match=REFUSED[words]):
        settings("method=refine", *words)


def test_a_class_that_a_fold_would_lack_is_named(called):
    code, said = called("method=refine", "dataset.labels_per_class=2")
    assert code == 2
    assert "method.folds: is 3, and 0 has 2 labelled items: no fold may lack it; lower it, or add items" in said


def test_one_fold_is_a_model_that_learned_from_all(tmp_path):
    start(tmp_path / "run", "method=refine_self_training", "dataset.label_noise=0.3", "optim.max_steps=6")
    folder = RunFolder.open(tmp_path / "run")
    assert [stage.name for stage in folder.results()] == [
        "round_1_fold_0",
        "round_1_labels",
        "round_1_audit",
        "round_1",
    ]
    with (tmp_path / "run/refined_labels.csv").open() as file:
        learned = [[float(row[f"learned_{name}"]) for name in range(10)] for row in csv.DictReader(file)]
    assert all(sorted(row)[-1] == 1 and sum(row) == 1 for row in learned)
