"""Metrics against torchmetrics, scikit-learn and plain loops."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.metrics import brier_score_loss, log_loss
from torchmetrics.classification import MulticlassAccuracy, MulticlassCalibrationError

from helpers import start, summary
from sdrun.judges import metrics
from sdrun.judges.classification import doubts_of
from sdrun.judges.metric import REPRESENTATION


@pytest.fixture(params=[0, 1, 2])
def predictions(request):
    random = np.random.default_rng(request.param)
    labels = random.integers(0, 10, 997)
    logits = random.normal(size=(997, 10)).astype(np.float32) * 2
    logits[np.arange(997), labels] += random.normal(1.5, 2, 997)
    return logits, labels


def test_against_torchmetrics_and_scikit_learn(predictions):
    logits, labels = predictions
    probability = softmax(logits.astype(np.float64), axis=1)
    found = metrics.scores(logits, labels)
    z, y = torch.tensor(probability), torch.tensor(labels)
    assert found["accuracy"] == pytest.approx(float(MulticlassAccuracy(10, average="micro")(z, y)), abs=1e-7)
    assert found["nll"] == pytest.approx(log_loss(labels, probability, labels=range(10)), rel=1e-9)
    assert found["ece"] == pytest.approx(float(MulticlassCalibrationError(10, n_bins=15)(z, y)), abs=1e-6)
    one_against_rest = sum(brier_score_loss(labels == k, probability[:, k]) for k in range(10))
    assert found["brier"] == pytest.approx(one_against_rest, rel=1e-9)


def test_of_several_right_classes_any_counts(predictions):
    logits, labels = predictions
    num, classes = logits.shape
    right = np.eye(classes, dtype=bool)[labels]
    assert metrics.scores(logits, right) == pytest.approx(metrics.scores(logits, labels))
    assert metrics.fit_temperature(logits, right) == pytest.approx(metrics.fit_temperature(logits, labels))
    right[::2, 1] = True
    probability = softmax(logits.astype(np.float64), axis=1)
    hit = np.array([right[row, probability[row].argmax()] for row in range(num)])
    told = metrics.scores(logits, right)
    assert told["accuracy"] == pytest.approx(hit.mean())
    among = (probability * right).sum(axis=1)
    assert told["nll"] == pytest.approx(-np.log(among).mean())
    nearest = probability * right / among[:, None]
    assert told["brier"] == pytest.approx(((probability - nearest) ** 2).sum(axis=1).mean())
    sets = {tuple(row) for row in right}
    by_set = [hit[[tuple(row) == one for row in right]].mean() for one in sets]
    assert told["balanced_accuracy"] == pytest.approx(np.mean(by_set))


def test_adaptive_ece_and_aurc_against_loops(predictions):
    logits, labels = predictions
    probability = softmax(logits.astype(np.float64), axis=1)
    confidence, correct = probability.max(1), (probability.argmax(1) == labels).astype(float)
    order = sorted(range(len(labels)), key=lambda i: confidence[i])
    edges = [len(order) // 15 * b + min(b, len(order) % 15) for b in range(16)]
    gap = 0.0
    for low, high in zip(edges, edges[1:], strict=False):
        part = order[low:high]
        mean_confidence = sum(confidence[i] for i in part) / len(part)
        gap += len(part) / len(order) * abs(mean_confidence - sum(correct[i] for i in part) / len(part))
    found = metrics.scores(logits, labels)
    assert found["adaptive_ece"] == pytest.approx(gap, rel=1e-9)
    risks, errors = [], 0.0
    for count, i in enumerate(reversed(order), start=1):
        errors += 1 - correct[i]
        risks.append(errors / count)
    assert found["aurc"] == pytest.approx(sum(risks) / len(risks), rel=1e-9)


def test_the_divergence_from_a_crowd_is_scipys():
    random = np.random.default_rng(0)
    logits, crowd = random.normal(size=(50, 3)), random.multinomial(10, [0.8, 0.2, 0.0], 50) / 10
    expected = entropy(crowd, softmax(logits / 2, axis=1), axis=1).mean()
    assert metrics.crowd_kl(logits, crowd, 2.0) == pytest.approx(expected, rel=1e-9)
    assert metrics.crowd_scores(logits, crowd, None).keys() == {"crowd_kl"}
    assert metrics.crowd_scores(logits, crowd, 2.0)["crowd_kl_calibrated"] == pytest.approx(expected, rel=1e-9)


def test_aurc_does_not_depend_on_the_order_of_ties():
    confidence = np.array([0.9, 0.5, 0.5, 0.5])
    assert metrics.aurc(confidence, np.array([1.0, 1, 0, 0])) == metrics.aurc(confidence, np.array([1.0, 0, 0, 1]))


def test_ece_by_hand():
    confidence, correct = np.array([0.95, 0.95, 0.55, 0.55]), np.array([1.0, 1.0, 1.0, 0.0])
    assert metrics.ece(confidence, correct) == pytest.approx(0.5 * 0.05 + 0.5 * 0.05)
    assert metrics.ece(np.array([1.0]), np.array([0.0])) == 1.0


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_fitted_temperature_is_the_one_that_the_logits_were_divided_by(temperature):
    random = np.random.default_rng(0)
    logits = random.normal(size=(20000, 5)) * 2
    labels = np.array([random.choice(5, p=p) for p in softmax(logits, axis=1)])
    fitted = metrics.fit_temperature(logits * temperature, labels)
    assert fitted == pytest.approx(temperature, rel=0.05)
    before, after = (
        metrics.scores(logits * temperature, labels),
        metrics.calibrated_scores(logits * temperature, labels, fitted),
    )
    assert after["nll_calibrated"] <= before["nll"] + 1e-12


def test_without_a_wrong_prediction_no_temperature_is_fitted():
    assert metrics.fit_temperature(np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([0, 1])) == 1.0


def test_extreme_logits_stay_finite():
    found = metrics.scores(np.array([[1e5, 0.0], [0.0, 1e5]], dtype=np.float32), np.array([1, 1]))
    assert all(np.isfinite(value) for value in found.values())


def test_bins_have_their_upper_edge_inside():
    share, _, _ = metrics.bins(np.array([0.01, 1 / 15, 0.07, 1.0]), np.zeros(4))
    assert share[[0, 1, 14]].tolist() == [0.5, 0.25, 0.25]


@pytest.mark.parametrize(
    ("temperature", "num", "num_classes", "reason"),
    [
        (1.3, 49, 10, "fitted on 49 validation items"),
        (1.0, 1, 10, "fitted on 1 validation items"),
        (1.3, 199, 100, "fitted on 199 validation items"),
        (19.9999, 1000, 10, "at its bound"),
        (0.05001, 1000, 10, "at its bound"),
        (1.3, 50, 10, None),
        (1.3, 200, 100, None),
        (19.0, 50, 10, None),
        (0.06, 50, 10, None),
    ],
)
def test_a_temperature_of_few_images_or_at_its_bound_is_doubted(temperature, num, num_classes, reason):
    doubt = metrics.temperature_doubt(temperature, num, num_classes)
    assert (doubt is None) if reason is None else (doubt is not None and reason in doubt)


def test_a_fit_that_runs_into_its_bound_is_doubted():
    logits = 1000 * np.eye(10)[np.arange(100) % 10]
    temperature = metrics.fit_temperature(logits, (np.arange(100) + 1) % 10)
    assert "at its bound" in metrics.temperature_doubt(temperature, 100, 10)


def test_a_stage_warns_once_of_its_temperature(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1", "dataset.val_size=20")
    lines = [line for line in (path / "run.log").read_text().splitlines() if "WARNING" in line]
    assert len(lines) == 1
    assert "supervised: val/temperature is " in lines[0]
    assert "fitted on 20 validation items; raise dataset.val_size to 50 or more; the calibrated" in lines[0]


@pytest.mark.parametrize(
    ("average", "student", "num", "lags"),
    [
        (0.812, 0.834, 10_000, True),
        (0.812, 0.834, 1_000, False),  # two standard errors are 0.034
        (0.815, 0.834, 10_000, True),
        (0.990, 0.999, 10_000, False),  # less than a hundredth
        (0.834, 0.812, 10_000, False),  # what an average is for
        (0.0, 1.0, 1, True),
        (0.5, 0.5, 1, False),
    ],
)
def test_an_average_lags_where_its_student_is_better_beyond_chance(average, student, num, lags):
    assert metrics.average_lags(average, student, num) == lags


@pytest.mark.parametrize(("method", "stage"), [("mean_teacher", "mean_teacher"), ("fixmatch", "consistency")])
def test_a_stage_warns_where_its_average_lags(method, stage, tmp_path):
    asked = ("dataset.num_labels=100", "optim.max_steps=20", "optim.epochs=20")
    lag = ("method.momentum=1", "method.momentum_schedule=constant")
    path = start(tmp_path / "run", f"method={method}", *asked, *lag)
    (warning,) = [line for line in (path / "run.log").read_text().splitlines() if "the average of the student" in line]
    student, average = (100 * summary(path)["metrics"][f"test/{word}accuracy"] for word in ("student/", ""))
    assert warning.endswith(
        f"WARNING {stage}: what is judged is the average of the student's weights, accuracy {average:.2f} %; "
        f"the student itself has {student:.2f} %: lower method.momentum, or train longer"
    )


def test_the_average_of_a_backbone_is_doubted_by_its_neighbours():
    data = SimpleNamespace(labels={"test": np.zeros(10_000)})
    (doubt,) = doubts_of({"test/knn_accuracy": 0.7, "test/student/knn_accuracy": 0.75}, data, REPRESENTATION[0])
    assert "weights, k-NN 70.00 %; the student itself has 75.00 %" in doubt
    assert doubts_of({"test/knn_accuracy": 0.7}, data, REPRESENTATION[0]) == []
