"""Classifiers that learn from their own predictions: are these right? Here alone are the hidden labels looked at."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from sdrun.judges.classification import Classification
from sdrun.judges.judge import Networks, Outcome
from sdrun.judges.metric import PSEUDO_LABELS
from sdrun.judges.parts import Parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 5000


class PseudoLabels(Classification):
    """Classification, and what the teacher makes of training items that have no label, seen clean.

    ``word``: of the network that gives the targets; ``mask``: its probabilities [N, K] to how much each item counts,
    [N] in 0 to 1. At most 5,000 items are looked at, the same each time; all training items, if all have labels. Of a
    class, that is of the items whose true label it is, ``unlabelled/mask/<class>`` is the share that counts, and
    ``unlabelled/pseudo_label_accuracy/<class>`` the share of these whose pseudo-label is right.
    """

    def __init__(self, data: Parts, word: str, mask: Callable[[Tensor], Tensor]) -> None:
        super().__init__(data)
        self.declared = (*self.declared, *PSEUDO_LABELS)
        self.word, self.mask = word, mask
        everything = np.arange(len(data.splits.train))
        hidden = np.setdiff1d(everything, data.splits.labelled)
        pool = hidden if len(hidden) else everything
        self.index = pool[np.linspace(0, len(pool) - 1, min(MOST, len(pool))).astype(int)]

    def validate(self, networks: Networks) -> dict[str, float]:
        return super().validate(networks) | self._judged(networks)

    def full(self, networks: Networks) -> Outcome:
        outcome = super().full(networks)
        judged = self._judged(networks)

        def by_class() -> "Figure":
            from sdrun.methods.consistency.pictures import pseudo_labels

            shares = [self._of_classes(judged, name) for name in ("mask", "pseudo_label_accuracy")]
            return pseudo_labels(self.data.splits.classes, *shares)

        pictures = outcome.pictures | {"unlabelled/pseudo_labels": by_class}
        return Outcome(outcome.metrics | judged, outcome.predictions, pictures, outcome.documents)

    def _judged(self, networks: Networks) -> dict[str, float]:
        probabilities = self.data.outputs(networks[self.word], "train", self.index).softmax(dim=1)
        weight = self.mask(probabilities).cpu().numpy().astype(np.float64)
        truth = self.data.splits.true_labels[self.index]
        right = probabilities.argmax(dim=1).cpu().numpy() == truth
        metrics = {"unlabelled/accuracy": float(right.mean())} | _of("", weight, right)
        for number, name in enumerate(self.data.splits.classes):
            of_class = truth == number
            metrics |= _of(f"/{_plain(name)}", weight[of_class], right[of_class])
        return metrics

    def _of_classes(self, metrics: dict[str, float], name: str) -> list[float]:
        return [metrics.get(f"unlabelled/{name}/{_plain(title)}", np.nan) for title in self.data.splits.classes]


def _of(suffix: str, weight: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Of some items; without an accuracy where none of them counts."""
    if not len(weight):
        return {}
    metrics = {f"unlabelled/mask{suffix}": float(weight.mean())}
    if weight.sum() > 0:
        metrics[f"unlabelled/pseudo_label_accuracy{suffix}"] = float((weight * right).sum() / weight.sum())
    return metrics


def _plain(name: str) -> str:
    return name.replace("/", "_").replace(" ", "_")
