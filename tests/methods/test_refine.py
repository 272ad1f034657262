import csv

import numpy as np
import pytest
import torch
from cleanlab import count, filter

from helpers import SMALL, interrupted, settings, start, summary
from sdrun import run
from sdrun.answers.categorical import Categorical
from sdrun.averaged import averaged
from sdrun.errors import InputError
from sdrun.methods.refine import anchors, confident
from sdrun.methods.refine.audit import Audit, average_precision
from sdrun.methods.refine.confident import confident_joint, noise_rate, transitions
from sdrun.methods.refine.folds import folds
from sdrun.methods.refine.labels import refined
from sdrun.methods.refine.settings import Finder
from sdrun.methods.refine_coteaching.objective import Coteaching
from sdrun.methods.refine_elr.objective import EarlyLearning
from sdrun.objectives.taught import Taught
from sdrun.randomness import Draws
from sdrun.storage.folder import RunFolder
from sdrun.streams.batch import Batch

REFINE = ("method=refine", "dataset.label_noise=0.3", "optim.max_steps=6")


def believed(num=600, num_classes=4, noise=0.3, seed=0):
    """Labels of which some are wrong, what models believe that learned such: [N], [N, K], and the truth [N]."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, num_classes, num)
    wrong = (truth + random.integers(1, num_classes, num)) % num_classes
    labels = np.where(random.random(num) < noise, wrong, truth)
    logits = random.normal(size=(num, num_classes)) + 2.5 * np.eye(num_classes)[truth]
    of_class = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    change = np.eye(num_classes) * (1 - noise) + (1 - np.eye(num_classes)) * noise / (num_classes - 1)
    return labels, of_class @ change, truth


@pytest.mark.parametrize("seed", range(4))
def test_what_is_believed_of_labels_is_what_cleanlab_says(seed):
    labels, beliefs, _ = believed(seed=seed)
    joint = confident_joint(labels, beliefs)
    theirs = count.compute_confident_joint(labels, beliefs)
    assert np.array_equal(joint, theirs)
    assert noise_rate(joint) == pytest.approx(1 - theirs.trace() / theirs.sum())
    _, matrix, _ = count.estimate_latent(theirs, labels)
    assert transitions(joint) == pytest.approx(matrix.T, abs=0.02)


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5])
def test_those_are_suspect_that_cleanlab_finds(noise):
    labels, beliefs, _ = believed(2000, noise=noise)
    is_suspect = Audit("row", np.arange(2000), labels, beliefs, "abcd", Finder.confident).findings.is_suspect
    theirs = filter.find_label_issues(labels, beliefs)
    assert (is_suspect != theirs).sum() <= 2
    assert is_suspect.sum() > 100


@pytest.mark.parametrize("noise", [0.05, 0.2, 0.4])
def test_anchors_tell_how_many_are_wrong_and_which(noise):
    """Where wrong labels all go to the next class, and models believe in labels as they are."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 4000)
    labels = np.where(random.random(4000) < noise, (truth + 1) % 4, truth)
    logits = 2 * (random.normal(size=(4000, 4)) + 3 * np.eye(4)[truth])
    of_class = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    change = (1 - noise) * np.eye(4) + noise * np.roll(np.eye(4), 1, axis=1)
    beliefs = (of_class @ change) ** 0.5  # less sure than they should be
    beliefs /= beliefs.sum(axis=1, keepdims=True)
    ours, theirs = anchors.find(labels, beliefs), confident.find(labels, beliefs)
    is_wrong = truth != labels
    assert ours.noise_rate == pytest.approx(is_wrong.mean(), abs=0.02)
    assert ours.transitions == pytest.approx(change, abs=0.05)
    low, high = anchors.noise_interval(labels, beliefs, 0)
    assert low <= ours.noise_rate <= high
    assert high - low < 0.05
    f1 = [2 * (f.is_suspect & is_wrong).sum() / (f.is_suspect.sum() + is_wrong.sum()) for f in (ours, theirs)]
    assert f1[0] > max(0.75, f1[1])
    assert (ours.classes.argmax(axis=1) == truth).mean() > max((beliefs.argmax(axis=1) == truth).mean(), 0.93)


def test_beliefs_are_calibrated_as_the_best_temperature_and_biases_do():
    """By torch's own optimiser, which has no bounds and another way of getting there."""
    labels, beliefs, _ = believed(2000)
    scale, bias = torch.zeros((), requires_grad=True), torch.zeros(4, requires_grad=True)
    logits = torch.as_tensor(beliefs).float().log()
    optimizer = torch.optim.LBFGS([scale, bias], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        told = logits * scale.exp() + bias
        value = torch.nn.functional.cross_entropy(told, torch.as_tensor(labels)) + 1e-3 * bias.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    expected = (logits * scale.exp() + bias).softmax(dim=1).detach().numpy()
    assert anchors.calibrated(labels, beliefs) == pytest.approx(expected, abs=2e-3)


def test_the_classes_behind_beliefs_in_labels_are_found():
    random = np.random.default_rng(0)
    classes = random.dirichlet(np.ones(4), 50)
    change = 0.7 * np.eye(4) + 0.3 / 3 * (1 - np.eye(4))
    even = np.full((50, 4), 0.25)
    found = anchors.behind(classes @ change, change, even, 5000)
    assert found == pytest.approx(classes, abs=0.01)


def test_a_class_that_nobody_has_is_never_believed():
    labels, beliefs, _ = believed()
    joint = confident_joint(np.minimum(labels, 2), beliefs)
    assert joint[:, 3].sum() == joint[3].sum() == 0


def test_precision_is_averaged_over_the_wrong():
    is_wrong, places = np.array([True, False, True, False]), np.array([1, 2, 3, 4])
    assert average_precision(is_wrong, places) == pytest.approx((1 + 2 / 3) / 2)


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


def test_dropping_everything_is_refused():
    chosen = settings("method=refine", "method.action=drop").method
    with pytest.raises(InputError, match="method.action: drop would leave no item"):
        refined(chosen, GIVEN, BELIEFS, torch.tensor([True, True]), CLASSES)


@pytest.mark.parametrize("finder", list(Finder))
def test_an_audit_without_wrong_labels_claims_no_recall(finder):
    labels, beliefs, _ = believed(noise=0)
    audit = Audit("row", np.arange(600), labels, beliefs, "abcd", finder)
    metrics = audit.metrics(labels, 0)
    assert "labels/recall" not in metrics
    assert metrics["labels/noise_rate_low"] <= metrics["labels/noise_rate"] <= metrics["labels/noise_rate_high"]
    assert metrics["labels/noise_rate"] < 0.1
    assert "labels look clean" in audit.said[-1]


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


def test_what_was_said_before_is_held_to_as_the_authors_code_does():
    """Early-learning regularisation, two steps over four items, against 2007.00151 written out."""
    torch.manual_seed(0)
    student = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
    chosen = settings("method=refine_elr", "method.weight=2", "method.momentum=0.6").method
    ours = EarlyLearning(student, Categorical(3), chosen, 4, 3, lambda rows: rows)
    target, index, label = torch.zeros(4, 3), torch.tensor([2, 0, 3]), torch.tensor([1, 2, 0])
    for step in range(2):
        view = torch.randn(3, 1, 2, 2)
        batch = Batch(step, index, {"weak": [view]}, {"label": label}, Draws((0,), slice(0, 3), 3))
        output = ours(batch)
        ours.after_step(step + 1)
        said = student(view).softmax(dim=1).clamp(1e-4, 1 - 1e-4)
        target[index] = 0.6 * target[index] + 0.4 * (said / said.sum(dim=1, keepdim=True)).detach()
        term = (1 - (target[index] * said).sum(dim=1)).log().mean()
        expected = torch.nn.functional.cross_entropy(student(view), label) + 2 * term
        torch.testing.assert_close(output.loss, expected)
        torch.testing.assert_close(ours.memory, target)


def test_each_learns_from_what_is_easiest_for_its_peer():
    torch.manual_seed(0)
    pair = [torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3)) for _ in range(2)]
    words = ("method.forget=0.5", "method.ramp_up=0.5", "method.label_smoothing=0.1")
    chosen = settings("method=refine_coteaching", *words).method
    ours = Coteaching(pair, Categorical(3), chosen, 10, lambda rows: rows)
    assert [ours.num_kept(8, step) for step in (0, 4, 5, 9)] == [8, 5, 4, 4]
    view, label = torch.randn(8, 1, 2, 2), torch.randint(3, (8,))
    output = ours(Batch(9, torch.arange(8), {"weak": [view]}, {"label": label}, Draws((0,), slice(0, 8), 8)))
    answers = [student(view) for student in pair]
    for name, own, peer in (("ce", 0, 1), ("peer_ce", 1, 0)):
        easiest = torch.nn.functional.cross_entropy(answers[peer], label, reduction="none").argsort()[:4]
        expected = torch.nn.functional.cross_entropy(answers[own][easiest], label[easiest], label_smoothing=0.1)
        torch.testing.assert_close(output.terms[name], expected)


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


def test_an_average_of_the_weights_is_what_counts():
    torch.manual_seed(0)
    student = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
    plain = Taught(student, Categorical(3))
    assert averaged(plain, 0.0, 10) is plain
    counted = averaged(plain, 0.9, 1000)
    before = counted.networks[""][1].weight.clone()
    with torch.no_grad():
        student[1].weight.add_(1)
    counted.after_step(1)
    torch.testing.assert_close(counted.networks[""][1].weight, before + 0.5)  # the mean of two
    assert counted.networks["student"] is student
