"""Asks whose paired runs are numbers that were drawn."""

from sdrun.asks.deciding import Look
from sdrun.asks.declaration import Asked, asked
from sdrun.asks.pairs import Pairs
from sdrun.judges.metric import Better, Metric

DECLARED = {
    "accuracy": Metric("accuracy", Better.higher, "%", "accuracy", shown=True),
    "nll_calibrated": Metric("nll_calibrated", Better.lower, "", "NLL*", shown=True),
}
VALUES = {
    "goal": "accuracy",
    "compare": None,
    "seeds": 3,
    "most_seeds": 20,
    "tuning_seeds": [100, 101],
    "trials": 12,
    "halving": 3,
    "lengths": [1.0, 3.0],
    "val_size": None,
    "grid": {},
    "scaled": {},
    "candidates": {},
}


def declared(**changed) -> Asked:
    return asked({**VALUES, **changed})


def drawn(looks: list[Look], finalists: list[str], controls: dict[str, int] | None = None, **arms) -> Pairs:
    """``arms``: accuracies by seed, or pairs of these and of NLL*."""
    numbers = {}
    for arm, values in arms.items():
        accuracy, nll = values if isinstance(values, tuple) else (values, [0.5] * len(values))
        each = enumerate(zip(accuracy, nll, strict=True))
        numbers[arm] = {seed: {"test/accuracy": a, "test/nll_calibrated": b} for seed, (a, b) in each}
    return Pairs(declared(), DECLARED, numbers, looks, finalists, controls)
