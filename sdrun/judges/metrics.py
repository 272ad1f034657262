"""Numbers about predictions: accuracy, proper scores, calibration, selective prediction. Imports no torch.

Everywhere: ``logits`` [N, K], and ``labels`` that are classes [N], or which of several are right [N, K] bool; computed
in float64.
"""

import numpy as np
from scipy.special import entr, log_softmax, logsumexp

NUM_BINS = 15
COLDEST, HOTTEST = 0.05, 20.0
OF_THE_LIKELIEST = ("accuracy", "balanced_accuracy")
"""Metrics that no temperature changes."""


def scores(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> dict[str, float]:
    """All metrics of ``softmax(logits / temperature)`` by name."""
    log_probability = log_softmax(logits.astype(np.float64) / temperature, axis=1)
    probability = np.exp(log_probability)
    confidence, correct = top(probability, labels)
    return {
        "accuracy": float(correct.mean()),
        "balanced_accuracy": float(np.nanmean(recall(correct, labels))),
        "nll": nll(log_probability, labels),
        "brier": brier(probability, labels),
        "ece": ece(confidence, correct),
        "adaptive_ece": adaptive_ece(confidence, correct),
        "aurc": aurc(confidence, correct),
    }


def calibrated_scores(logits: np.ndarray, labels: np.ndarray, temperature: float) -> dict[str, float]:
    """The metrics that a temperature changes, after it, as ``nll_calibrated`` and so on."""
    named = scores(logits, labels, temperature)
    return {f"{name}_calibrated": value for name, value in named.items() if name not in OF_THE_LIKELIEST}


def crowd_scores(logits: np.ndarray, crowd: np.ndarray, temperature: float | None) -> dict[str, float]:
    """How far predictions are from what several people said, also after a temperature, if there is one."""
    plain = {"crowd_kl": crowd_kl(logits, crowd)}
    return plain if temperature is None else {**plain, "crowd_kl_calibrated": crowd_kl(logits, crowd, temperature)}


def top(probability: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of the predicted class and whether it is right, 1 or 0: both [N]. probability: [N, K]."""
    return probability.max(axis=1), is_right(probability.argmax(axis=1), labels).astype(np.float64)


def is_right(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether the classes [N] that are predicted are so: [N] bool."""
    right: np.ndarray = predicted == labels if labels.ndim == 1 else _at(labels, predicted)
    return right


def recall(correct: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of each class's items that is predicted as it [K], NaN of a class without items. correct: [N], 1 or 0.

    Where several are right, of each of the different sets of classes.
    """
    if labels.ndim == 2:
        labels = np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1)
    counts = np.bincount(labels)
    return np.divide(np.bincount(labels, correct), counts, out=np.full(len(counts), np.nan), where=counts > 0)


def nll(log_probability: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-likelihood of the labels in nats. log_probability: [N, K]."""
    if labels.ndim == 2:
        return float(-logsumexp(np.where(labels, log_probability, -np.inf), axis=1).mean())
    return float(-_at(log_probability, labels).mean())


def crowd_kl(logits: np.ndarray, crowd: np.ndarray, temperature: float = 1.0) -> float:
    """Mean divergence, in nats, of ``softmax(logits / temperature)`` from what several people said.

    crowd: [N, K], the share of an item's raters that chose each class.
    """
    log_probability = log_softmax(logits.astype(np.float64) / temperature, axis=1)
    return float((-entr(crowd) - crowd * log_probability).sum(axis=1).mean())


def brier(probability: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared distance of the probabilities [N, K] to the one-hot labels, summed over classes: 0 to 2.

    Where several are right, to the probabilities among these alone.
    """
    if labels.ndim == 2:
        among = np.where(labels, probability, 0) + np.where(labels, np.finfo(float).tiny, 0)  # of nothing, all alike
        return float(((probability - among / among.sum(axis=1, keepdims=True)) ** 2).sum(axis=1).mean())
    return float(((probability**2).sum(axis=1) - 2 * _at(probability, labels) + 1).mean())


def _at(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The value [N] of each item's class. values: [N, K]."""
    at: np.ndarray = np.take_along_axis(values, classes[:, None], axis=1)[:, 0]
    return at


def bins(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of samples, mean confidence and accuracy of NUM_BINS equal-width bins (lower edge out, upper in): [bins].

    An empty bin has confidence and accuracy 0.
    """
    place = np.clip(np.ceil(confidence * NUM_BINS).astype(int) - 1, 0, NUM_BINS - 1)
    count = np.bincount(place, minlength=NUM_BINS)
    filled = np.maximum(count, 1)
    mean_confidence = np.bincount(place, confidence, NUM_BINS) / filled
    accuracy = np.bincount(place, correct, NUM_BINS) / filled
    return count / len(confidence), mean_confidence, accuracy


def ece(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error over 15 equal-width bins (1706.04599)."""
    share, mean_confidence, accuracy = bins(confidence, correct)
    return float((share * np.abs(mean_confidence - accuracy)).sum())


def adaptive_ece(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error over 15 bins that hold equally many samples, as nearly as possible."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, NUM_BINS) if len(part)]
    return float(sum(abs((confidence[part] - correct[part]).sum()) for part in parts) / len(confidence))


def aurc(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Area under the risk-coverage curve (1805.08206): the mean over i of the error rate of the i most confident.

    Samples of equal confidence are taken together, at their mean error, so that their order does not matter.
    """
    _, group, count = np.unique(-confidence, return_inverse=True, return_counts=True)
    error = np.bincount(group, 1 - correct) / count
    risk = np.cumsum(np.repeat(error, count)) / np.arange(1, len(correct) + 1)
    return float(risk.mean())


def average_lags(average: float, student: float, num: int) -> bool:
    """Whether an average of weights is right less often than its student on ``num`` items, by more than chance.

    That is by more than 0.01, and by more than two standard errors of the difference of two shares, as if they had been
    measured on different items: on the same ones that is too large, so the doubt errs on the side of silence.
    """
    variance = (average * (1 - average) + student * (1 - student)) / num
    return student - average > max(0.01, 2 * variance**0.5)


def temperature_doubt(temperature: float, num: int, num_classes: int) -> str | None:
    """Why a temperature fitted on ``num`` items should not be trusted, or None.

    It should where there are 50 items and two for each class, and where it is not at an end of the range of
    ``fit_temperature``.
    """
    least = max(50, 2 * num_classes)
    if num < least:
        return f"is {temperature:.4g}, fitted on {num} validation items; raise dataset.val_size to {least} or more"
    if not 1.001 * COLDEST < temperature < HOTTEST / 1.001:
        return f"is {temperature:.4g}, at its bound: no temperature makes these predictions fit"
    return None


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature in 0.05 to 20 with the least NLL (1706.04599). For validation data, never for test data.

    1 where no prediction is wrong: the NLL then falls without end as the temperature does, and nothing can be fitted.
    """
    if is_right(logits.argmax(axis=1), labels).all():
        return 1.0
    from scipy.optimize import minimize_scalar

    z = logits.astype(np.float64)

    def nll_at(log_temperature: float) -> float:
        return nll(log_softmax(z / np.exp(log_temperature), axis=1), labels)

    return float(np.exp(minimize_scalar(nll_at, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded").x))
