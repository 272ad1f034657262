"""What saved predictions say of the metrics that were recorded beside them. Imports no torch."""

from collections.abc import Mapping
from math import isclose
from typing import Any

import numpy as np

from sdrun.judges.metrics import calibrated_scores, scores

TOLERANCE = 1e-3


def recomputed(predictions: Mapping[str, np.ndarray], metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that follow from a stage's ``predictions``, of those that are in its ``metrics``.

    ``predictions``: logits [N, K] as ``<part>_logits`` or ``<part>_<word>_logits``, labels [N] as ``<part>_labels``.
    The temperature is the recorded one.
    """
    parts = sorted((key.removesuffix("_labels") for key in predictions if key.endswith("_labels")), key=len)
    values: dict[str, float] = {}
    for key in (key for key in predictions if key.endswith("_logits")):
        name = key.removesuffix("_logits")
        part = next(part for part in reversed(parts) if name == part or name.startswith(f"{part}_"))
        word = name.removeprefix(part).removeprefix("_")
        logits, labels = predictions[key], predictions[f"{part}_labels"]
        temperature = metrics.get("/".join(filter(None, ["val", word, "temperature"])))
        computed = scores(logits, labels)
        if temperature is not None:
            computed |= calibrated_scores(logits, labels, temperature)
        values |= {"/".join(filter(None, [part, word, metric])): value for metric, value in computed.items()}
    return {name: value for name, value in values.items() if name in metrics}


def contradicted(predictions: Mapping[str, np.ndarray], metrics: Mapping[str, Any]) -> list[str]:
    """The metrics that do not follow from the predictions."""
    numbers = {name: value for name, value in metrics.items() if type(value) in (int, float)}
    return [name for name, value in recomputed(predictions, numbers).items() if not agree(value, numbers[name])]


def agree(one: float, other: float) -> bool:
    """Whether two values of a metric are the same, but for what another machine's arithmetic changes in them."""
    return isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
