"""Networks that go through a stream, judged where it began, where they are, and where it ends."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sdrun.judges.classification import Classification
from sdrun.judges.drawing import Draw
from sdrun.judges.judge import Evaluable, Networks, Outcome, prefixed
from sdrun.judges.metric import STREAM
from sdrun.judges.metrics import scores
from sdrun.judges.parts import Parts
from sdrun.methods.online.labels import COUNTS, LABEL, PREDICTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_MAPPED = 24
"""Periods of which all are looked at after each."""

KEPT = ("accuracy", "nll", "ece")
"""Of the metrics of classification, those that are known of each period."""

FIRST, PRESENT, LAST, STREAMED = "first", "present", "last", "stream"
AVERAGED = ("accuracy", "nll", "ece", "prequential_accuracy", "pseudo_label_accuracy", "mask")

Learned = Callable[[Evaluable], Mapping[str, np.ndarray]]
"""Of the items that a period learned from, given the network after it: ``prediction`` before, ``label``, ``counts``."""


class Streaming(Classification):
    """After the period ``number``. The test set, all of it as the last period is, is read after the first and the last.

    ``rows``: of the training items that the period learned from; ``learned``: what of them, None in the first;
    ``history``: metrics after the periods so far.
    """

    knows_gaps = False  # validation is as the first period was

    def __init__(
        self,
        data: Parts,
        number: int,
        rows: np.ndarray,
        learned: Learned | None,
        history: Sequence[Mapping[str, float]],
    ) -> None:
        super().__init__(data)
        self.declared = (*self.declared, *STREAM)
        self.number, self.rows, self.learned, self.history = number, rows, learned, list(history)

    def full(self, networks: Networks) -> Outcome:
        periods = self.data.splits.periods
        assert periods
        names = periods.names
        is_last = self.number == len(names) - 1
        if self.number == 0 or is_last:
            outcome = super().full(networks)
        else:
            outcome = Outcome(self.validate(networks) if "val" in self.data.held_out else {}, {}, {})
        network = next(iter(networks.values()))
        metrics = outcome.metrics | self._over_periods(network, names) | self._of_learning(network)
        pictures = outcome.pictures
        if is_last:
            history = [*self.history, metrics]
            metrics |= averages(history[1:])
            pictures |= self._pictures(history, names)
        return Outcome(metrics, outcome.predictions, pictures, outcome.documents)

    def _over_periods(self, network: Evaluable, names: list[str]) -> dict[str, float]:
        """Of all periods where they are few, and else of the first, the present and the last."""
        places = {FIRST: names[0], PRESENT: names[self.number], LAST: names[-1]}
        judged = names if len(names) <= MOST_MAPPED else dict.fromkeys(places.values())
        by_name = {
            name: scores(self.data.outputs(network, name).cpu().numpy(), self.data.labels[name]) for name in judged
        }
        metrics = {f"{word}/{key}": by_name[name][key] for word, name in places.items() for key in KEPT}
        if len(names) <= MOST_MAPPED:
            metrics |= {f"{name}/accuracy": by_name[name]["accuracy"] for name in names}
        return metrics

    def _of_learning(self, network: Evaluable) -> dict[str, float]:
        """Against labels that no training sees."""
        if self.learned is None:
            return {}
        truth, classes = self.data.splits.true_labels[self.rows], self.data.splits.classes
        told = self.learned(network)
        metrics = {}
        if PREDICTION in told:
            metrics["prequential_accuracy"] = float((told[PREDICTION] == truth).mean())
        if COUNTS in told:
            counts, label = told[COUNTS], told[LABEL]
            is_right = (label if label.ndim == 1 else label.argmax(axis=1)) == truth
            metrics |= {"mask": float(counts.mean()), "pseudo_label_accuracy": float(is_right[counts].mean())}
            for number, name in enumerate(classes):
                members = truth == number
                if (counts & members).any():
                    metrics[f"pseudo_label_accuracy/{name}"] = float(is_right[counts & members].mean())
                if members.any():
                    metrics[f"mask/{name}"] = float(counts[members].mean())
        return prefixed(PRESENT, "", metrics)

    def _pictures(self, history: list[Mapping[str, float]], names: list[str]) -> dict[str, Draw]:
        def curves() -> "Figure":
            from sdrun.methods.online.pictures import over_the_stream

            return over_the_stream(history)

        def heat() -> "Figure":
            from sdrun.methods.online.pictures import after_and_of

            return after_and_of([[metrics[f"{name}/accuracy"] for name in names] for metrics in history])

        has_all = len(names) <= MOST_MAPPED
        return {"stream/accuracy": curves} | ({"stream/periods": heat} if has_all else {})


def averages(history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over the periods after the first, of what each has."""
    means = {}
    for name in AVERAGED:
        values = [metrics[key] for metrics in history if (key := f"{PRESENT}/{name}") in metrics]
        if values:
            means[f"{STREAMED}/{name}"] = float(np.mean(values))
    return means
