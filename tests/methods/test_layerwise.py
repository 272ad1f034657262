"""Layer-wise: what the loss of each choice is, whom its gradients reach, and what the exits bring."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from helpers import SMALL, check, images, points, predictions, settings, start, summary, weights
from sdrun import models
from sdrun.answers.categorical import Categorical
from sdrun.errors import InputError
from sdrun.methods.layerwise.ladder import Exits, Ladder
from sdrun.methods.layerwise.objective import Layerwise
from sdrun.randomness import Draws
from sdrun.streams.batch import Batch

LAYERWISE = "method=layerwise"


class Given(torch.nn.Module):
    """Exits that are outputs, whatever the images."""

    def __init__(self, features, logits):
        super().__init__()
        self.outputs = Exits(features, logits)

    def exits(self, images):
        return self.outputs


@pytest.fixture
def outputs():
    """Features [B, exits, D], logits [B, exits, K], labels [B]."""
    torch.manual_seed(0)
    features = torch.randn(6, 3, 4, requires_grad=True)
    logits = 2 * torch.randn(6, 3, 5)
    return features, logits.requires_grad_(), torch.randint(0, 5, (6,))


def loss_of(outputs, *overrides, choice="layerwise"):
    features, logits, label = outputs
    batch = Batch(0, torch.arange(6), {"weak": [torch.zeros(6, 1)]}, {"label": label}, Draws((0,), slice(0, 6), 6))
    return Layerwise(Given(features, logits), Categorical(3), settings(f"method={choice}", *overrides).method)(batch)


def softened(z_s, z_t, temperature):
    """KL of softened distributions without the squared temperature: sum over classes, mean over samples."""
    p, q = (z_t / temperature).softmax(1), (z_s / temperature).softmax(1)
    return (p * (p / q).log()).sum(1).mean()


def test_the_default_is_the_formula(outputs):
    features, logits, label = outputs
    *shallow, deepest = logits.unbind(1)
    expected = F.cross_entropy(deepest, label)
    for i, z in enumerate(shallow):
        expected = expected + 0.7 * F.cross_entropy(z, label) + 0.3 * 9 * softened(z, deepest, 3)
        expected = expected + 0.01 * ((features[:, i] - features[:, 2]) ** 2).sum() / 6
    torch.testing.assert_close(loss_of(outputs).loss, expected)


@pytest.mark.parametrize(
    ("overrides", "weight"), [((), 0.7), (("method.alpha=0.5",), 0.5), (("method.exit_ce=0.2",), 0.2)]
)
def test_the_labels_weigh_what_the_teacher_leaves(overrides, weight):
    assert settings(LAYERWISE, *overrides).method.label_weight == weight


def test_plain_is_the_formula_and_the_common_snippet_is_a_fraction_of_it(outputs):
    _, logits, label = outputs
    *shallow, deepest = logits.unbind(1)
    expected = F.cross_entropy(deepest, label) + sum(0.3 * 16 * softened(z, deepest, 4) for z in shallow)
    output = loss_of(outputs, choice="layerwise_plain")
    torch.testing.assert_close(output.loss, expected)
    assert output.terms.keys() == {"ce", "distillation"}

    def snippet(z):
        return F.kl_div(F.log_softmax(z / 4, dim=1), F.softmax(deepest / 4, dim=1))

    with pytest.warns(UserWarning, match="batchmean"):
        often_seen = F.cross_entropy(deepest, label) + 0.3 * sum(snippet(z) for z in shallow)
    weakened = loss_of(outputs, f"method.alpha={0.3 / (16 * 5)}", choice="layerwise_plain")
    torch.testing.assert_close(weakened.loss, often_seen)


def test_byot_has_the_gradients_of_the_authors_weights_and_forms(outputs):
    features, logits, label = outputs
    ours = torch.autograd.grad(loss_of(outputs, choice="layerwise_byot").loss, (features, logits))
    *shallow, deepest = logits.unbind(1)
    theirs = F.cross_entropy(deepest, label)
    for i, z in enumerate(shallow):
        soft = F.softmax(deepest.detach() / 3, dim=1)
        theirs = theirs - 0.3 * (F.log_softmax(z / 3, dim=1) * soft).sum(dim=1).mean()
        theirs = theirs + 0.7 * F.cross_entropy(z, label)
        theirs = theirs + 0.03 * torch.dist(features[:, i], features[:, 2].detach())
    for mine, other in zip(ours, torch.autograd.grad(theirs, (features, logits)), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("teacher", ["deepest", "ensemble"])
def test_no_term_of_a_teacher_reaches_the_deepest_exit(outputs, teacher):
    features, logits, _ = outputs
    terms = loss_of(outputs, f"method.teacher={teacher}").terms
    (gradient,) = torch.autograd.grad(terms["distillation"], logits, retain_graph=True)
    assert not gradient[:, 2].any()
    assert gradient[:, :2].abs().sum() > 0
    (gradient,) = torch.autograd.grad(terms["hint"], features)
    assert not gradient[:, 2].any()
    assert gradient[:, :2].abs().sum() > 0


def test_the_ensemble_teaches_by_the_mean_of_probabilities(outputs):
    _, logits, _ = outputs
    mean = logits.softmax(2).mean(1).log()
    expected = 0.3 * 9 * sum(softened(z, mean, 3) for z in logits.unbind(1)[:2])
    torch.testing.assert_close(loss_of(outputs, "method.teacher=ensemble").terms["distillation"], expected)


def test_a_real_ladders_deepest_part_gets_the_gradient_of_its_labels_alone():
    torch.manual_seed(0)
    model = settings("model=cnn", "model.widths=[4,6]").model
    ladder = Ladder(models.build(model, images(1, 8)), ["stage_1"], 3)
    views, known = {"weak": [torch.randn(4, 1, 8, 8)]}, {"label": torch.arange(4) % 3}
    batch = Batch(0, torch.arange(4), views, known, Draws((0,), slice(4), 4))
    terms = Layerwise(ladder, Categorical(3), settings(LAYERWISE).method)(batch).terms
    deep = [*ladder.head.parameters(), *ladder.backbone.residuals[1].parameters()]
    for name in ("exit_ce", "distillation", "hint"):
        gradients = torch.autograd.grad(terms[name], deep, retain_graph=True, allow_unused=True)
        assert all(gradient is None or not gradient.any() for gradient in gradients)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "run", LAYERWISE, "optim.epochs=30", "pictures=true")


def test_every_exit_and_the_ensemble_have_all_metrics(run):
    metrics = summary(run)["metrics"]
    final = {name for name in metrics if name.startswith(("test/", "val/")) and name.count("/") == 1}
    assert len(final) > 20
    for word in ("exit_1", "ensemble"):
        assert {name.replace("/", f"/{word}/") for name in final} <= metrics.keys()
    assert {"test_logits", "test_exit_1_logits", "val_ensemble_logits"} <= set(
        np.load(run / "predictions/layerwise.npz")
    )


def test_the_policy_is_kept_and_its_numbers_agree_with_the_predictions(run):
    stage = summary(run)["stages"][1]
    assert stage["name"] == "early_exit"
    policy = json.loads((run / "stages/early_exit/policy.json").read_text())
    assert policy.keys() == {"confidence", "thresholds", "temperatures"}
    metrics, found = stage["metrics"], predictions(run)
    assert policy["temperatures"][0] == pytest.approx(summary(run)["metrics"]["val/exit_1/temperature"])
    left, labels = found["early_exit/test_exit"], found["early_exit/test_labels"]
    assert metrics["test/exit_1/share"] == pytest.approx((left == 0).mean())
    accuracy = (found["early_exit/test_logits"].argmax(1) == labels).mean()
    assert metrics["test/accuracy"] == pytest.approx(accuracy)
    costs = [metrics[f"model/exit_{i}/multiply_adds"] for i in (1, 2)]
    assert metrics["test/multiply_adds"] == pytest.approx(np.mean(np.array(costs)[left]))
    assert metrics["test/multiply_adds_share"] == pytest.approx(
        metrics["test/multiply_adds"] / metrics["model/multiply_adds"]
    )
    assert metrics["val/accuracy"] >= summary(run)["metrics"]["val/accuracy"]
    for batch in (1, 64):
        assert metrics[f"test/milliseconds_batch_{batch}"] > 0
        assert metrics[f"test/full_milliseconds_batch_{batch}"] > 0


def test_the_curve_is_there_as_data_and_as_a_picture(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curve = json.loads((run / "stages/early_exit/curve.json").read_text())
    assert curve["points"]["test"][0]["shares"] == [1.0, 0.0]
    assert curve["points"]["test"][-1]["shares"] == [0.0, 1.0]
    assert curve["points"]["test"][-1]["accuracy"] == pytest.approx(summary(run)["metrics"]["test/accuracy"])
    events = EventAccumulator(str(run / "tensorboard/early_exit"))
    events.Reload()
    assert events.Tags()["images"] == ["test/accuracy_over_compute"]


def test_detached_exits_leave_the_deepest_as_supervised_training_does(tmp_path):
    plain = weights(start(tmp_path / "plain", "method=supervised"))
    detached = weights(start(tmp_path / "run", LAYERWISE, "method.num_detached=1"))
    names = [name for name in plain if name.startswith("supervised/last/student.")]
    assert names
    assert all(torch.equal(plain[name], detached[name.replace("supervised", "layerwise")]) for name in names)
    one = summary(tmp_path / "plain")["metrics"]
    assert summary(tmp_path / "run")["metrics"]["test/nll"] == one["test/nll"]


def test_shares_of_the_gradient_of_all_terms(run):
    names = ("ce", "exit_ce", "distillation", "hint")
    shares = [[v for _, _, _, name, v in points(run) if name == f"train/gradient_share_{term}"] for term in names]
    assert np.sum(shares, axis=0) == pytest.approx(np.ones(len(shares[0])))
    assert np.min(shares) > 0


def test_a_budget_that_nothing_meets_is_said(tmp_path):
    path = start(tmp_path / "run", LAYERWISE, "optim.epochs=1", "method.exit_policy.budget=0.01")
    assert "no policy meets method.exit_policy.budget=0.01" in (path / "run.log").read_text()
    assert summary(path)["stages"][1]["metrics"]["test/exit_1/share"] == 1


@pytest.mark.parametrize(
    ("model", "exits", "expected"),
    [
        ("resnet20", "null", ["stage_1", "stage_2"]),
        ("resnet18", "null", ["stage_1", "stage_2", "stage_3"]),
        ("resnet18", "2", ["stage_2"]),
        ("vit_tiny", "3", ["block_2", "block_4"]),
        ("vit_tiny", "null", ["block_2", "block_3", "block_5"]),
        ("vit_tiny", "[block_1,block_3]", ["block_1", "block_3"]),
    ],
)
def test_exits_by_number_or_by_name(model, exits, expected):
    found = settings(LAYERWISE, f"model={model}", f"method.exits={exits}")
    assert found.method.taps(found.model.taps) == expected


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["method.exits=4"], "method.exits: must be between 2 and 3, but is 4"),
        (["method.exits=[stage_3]"], "method.exits: stage_3 is not among stage_1, stage_2"),
        (
            ["method.exits=[stage_2,stage_1]"],
            r"method.exits: needs each tap once, shallow to deep: \[stage_1,stage_2\]",
        ),
        (["method.exits=x"], "method.exits: needs a number, or a list of taps"),
        (["model.widths=[8]"], "method.exits: needs a model of two stages or blocks"),
        (["method.num_detached=3"], "method.num_detached: must be between 0 and 2, but is 3"),
        (["method.alpha=x"], "method.alpha: Value 'x' of type 'str' could not be converted to Float"),
        (["method.alpha=0", "method.exit_ce=0"], "method.alpha: is 0 and so is method.exit_ce"),
        (["method.beta=0", "method.hint=norm"], "method.hint: has no effect with method.beta=0"),
        (["method.alpha=0", "method.teacher=ensemble"], "method.teacher: has no effect with method.alpha=0"),
        (
            ["method.exit_policy.thresholds=[0.7,3]"],
            "method.exit_policy.thresholds: 3 is no probability to compare with; it is at most 1, or 2 where",
        ),
        (["method.temperature=0"], "method.temperature: must be above 0"),
        (
            ["method.exit_policy.budget=0.5", "method.exit_policy.tolerance=0"],
            "method.exit_policy: needs one of tolerance, budget and thresholds; set tolerance or budget to null",
        ),
        (
            ["method.exit_policy.thresholds=[0.5]"],
            "method.exit_policy.thresholds: needs 2 numbers, but has 1",
        ),
        (["dataset.val_size=0"], "method.exit_policy: is found on validation; make dataset.val_size larger than 0"),
    ],
)
def test_bad_settings_are_named(overrides, message):
    with pytest.raises(InputError, match=message):
        check(LAYERWISE, *overrides)


def test_by_hand_and_without_validation(tmp_path):
    policy = [f"method.exit_policy.{p}" for p in ("thresholds=[0.5]", "temperatures=[1,1]")]
    path = start(tmp_path / "run", LAYERWISE, "dataset.val_size=0", "optim.epochs=2", *policy)
    kept = json.loads((path / "stages/early_exit/policy.json").read_text())
    assert kept == {"confidence": "probability", "thresholds": [0.5], "temperatures": [1.0, 1.0]}


def test_a_vits_exits_train(tmp_path):
    from sdrun import run as runs

    vit = ["model=vit_tiny", "model.width=24", "model.depth=3", "optim.epochs=1", LAYERWISE]
    runs.start(settings(*[o for o in SMALL if not o.startswith(("model", "optim.epochs"))], *vit), tmp_path / "run", [])
    assert {"test/exit_1/accuracy", "test/exit_2/accuracy"} <= summary(tmp_path / "run")["metrics"].keys()
