"""Classifiers are judged by their predictions on held-out items."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from sdrun.data.facts import is_uneven
from sdrun.judges.drawing import Draw
from sdrun.judges.judge import Evaluable, Networks, Outcome, TrainingJudge, prefixed
from sdrun.judges.metric import CLASSIFICATION, UNEVEN_CLASSES, Metric
from sdrun.judges.metrics import (
    average_lags,
    calibrated_scores,
    crowd_scores,
    fit_temperature,
    is_right,
    scores,
    temperature_doubt,
)
from sdrun.judges.parts import Parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MOST_MISTAKES = 12


class Classification(TrainingJudge):
    """Accuracy, proper scores, calibration and selective prediction of networks that give logits [B, K]."""

    def __init__(self, data: Parts) -> None:
        self.data = data
        self.declared = UNEVEN_CLASSES if is_uneven(data.splits) else CLASSIFICATION

    def doubts(self, metrics: Mapping[str, float]) -> list[str]:
        return doubts_of(metrics, self.data, self.declared[0])

    def validate(self, networks: Networks) -> dict[str, float]:
        metrics: dict[str, float] = {}
        for word, logits in self._logits(networks, "val").items():
            metrics |= prefixed("val", word, scores(logits, self.data.right["val"]))
        return metrics

    def score(self, metrics: dict[str, float]) -> list[float]:
        return [metrics["val/accuracy"], -metrics["val/nll"]]

    def full(self, networks: Networks) -> Outcome:
        metrics: dict[str, float] = {}
        predictions: dict[str, np.ndarray] = {}
        parts = {part: self._logits(networks, part) for part in self.data.held_out}
        for word in parts["test"]:
            logits = {part: by_word[word] for part, by_word in parts.items()}
            metrics |= scored(logits, self.data, word)
            if copy := self.data.copy:
                same = logits[copy].argmax(axis=1) == logits["test"].argmax(axis=1)
                metrics |= prefixed(copy, word, {"agreement": float(same.mean())})
            predictions |= {f"{part}_{word}_logits" if word else f"{part}_logits": z for part, z in logits.items()}
        main = next(iter(networks.values()))
        if (self.data.splits.train.labels != self.data.splits.true_labels).any():
            metrics |= self._label_fit(main, self.data.splits.labelled)
        test = predictions["test_logits"]
        return Outcome(metrics, predictions, pictures_of(test, self.data, metrics))

    def _label_fit(self, network: Evaluable, labelled: np.ndarray) -> dict[str, float]:
        """How much of the labelled training items is predicted as labelled, and how much as is true."""
        splits = self.data.splits
        predicted = self.data.outputs(network, "train", labelled).argmax(dim=1).cpu().numpy()
        return {
            "train/given_label_accuracy": float((predicted == splits.train.labels[labelled]).mean()),
            "train/true_label_accuracy": float((predicted == splits.true_labels[labelled]).mean()),
        }

    def _logits(self, networks: Networks, part: str) -> dict[str, np.ndarray]:
        """Logits [N, K] of a part's items by the words of networks and of their outputs; one of each has none."""
        by_word = {}
        for word, network in networks.items():
            for further, logits in self.data.outputs_by_word(network, part).items():
                by_word[word or further] = logits.cpu().numpy()
        return by_word


def scored(logits: dict[str, np.ndarray], data: Parts, word: str = "") -> dict[str, float]:
    """All metrics of the logits [N, K] of ``val`` and ``test``; again with a temperature fitted on ``val``, if any."""
    metrics: dict[str, float] = {}
    temperature = fit_temperature(logits["val"], data.right["val"]) if "val" in logits else None
    if temperature is not None:
        metrics |= prefixed("val", word, {"temperature": temperature})
    for part, z in logits.items():
        metrics |= prefixed(part, word, scores(z, data.right[part]))
        if temperature is not None:
            metrics |= prefixed(part, word, calibrated_scores(z, data.right[part], temperature))
        if part in data.crowd:
            metrics |= prefixed(part, word, crowd_scores(z, data.crowd[part], temperature))
    return metrics


def doubts_of(metrics: Mapping[str, float], data: Parts, headline: Metric) -> list[str]:
    """What is wrong with the fitted temperature, and with an average that is judged in place of its student, if any is.

    ``headline``: a share of right answers.
    """
    return [*_temperature_doubts(metrics, data), *_average_doubts(metrics, len(data.labels["test"]), headline)]


def _temperature_doubts(metrics: Mapping[str, float], data: Parts) -> list[str]:
    temperature = metrics.get("val/temperature")
    if temperature is None:
        return []
    doubt = temperature_doubt(temperature, len(data.labels["val"]), len(data.splits.classes))
    return [f"val/temperature {doubt}; the calibrated metrics are not to be trusted"] if doubt else []


def _average_doubts(metrics: Mapping[str, float], num: int, headline: Metric) -> list[str]:
    average, student = (metrics.get(f"test/{word}{headline.name}") for word in ("", "student/"))
    if average is None or student is None or not average_lags(average, student, num):
        return []
    told = f"what is judged is the average of the student's weights, {headline.title} {headline.formatted(average)}"
    way = "lower method.momentum, or train longer"
    return [f"{told}; the student itself has {headline.formatted(student)}: {way}"]


def pictures_of(logits: np.ndarray, data: Parts, metrics: dict[str, float]) -> dict[str, Draw]:
    """Pictures of test logits [N, K]."""
    labels, right = data.labels["test"], data.right["test"]

    def reliability() -> "Figure":
        from sdrun.judges.pictures import reliability_diagram

        return reliability_diagram(logits, right, metrics.get("val/temperature", 1.0))

    def confusion() -> "Figure":
        from sdrun.judges.pictures import confusion_matrix

        return confusion_matrix(logits, labels, data.splits.classes)

    def mistakes() -> "Figure":
        from sdrun.judges import pictures

        shown = data.shown("test", wrong)
        assert shown
        names = data.splits.classes
        pairs = [(names[label], names[said]) for label, said in zip(labels[wrong], predicted[wrong], strict=True)]
        return pictures.mistakes(shown, pairs, confidence[wrong].tolist())

    def classes() -> "Figure":
        from sdrun.judges.pictures import accuracy_of_classes

        return accuracy_of_classes(logits, labels, data.splits.classes)

    drawn: dict[str, Draw] = {"test/reliability": reliability}
    if right.ndim == 1:
        drawn |= {"test/confusion": confusion, "test/classes": classes}
    predicted, confidence = logits.argmax(axis=1), softmax(logits.astype(np.float64), axis=1).max(axis=1)
    wrong = np.flatnonzero(~is_right(predicted, right))
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST_MISTAKES]
    if len(wrong) and data.task.can_be_seen:
        drawn["test/mistakes"] = mistakes
    return drawn
