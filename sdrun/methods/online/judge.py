"""Networks that go through a stream, judged where it began, where they are, and where it ends."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sdrun.data.periods import Periods
from sdrun.judges.classification import Classification
from sdrun.judges.drawing import Draw
from sdrun.judges.judge import Evaluable, Networks, Outcome
from sdrun.judges.metric import STREAM
from sdrun.judges.metrics import scores
from sdrun.judges.parts import Parts
from sdrun.methods.online.learning import LEARNING, MASK, PREQUENTIAL, PRESENT, RIGHT, Learned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_MAPPED = 24
"""Periods of which all are looked at after each."""

EARLY = 4
"""One of so many periods, the first, is one by which settings may be chosen."""

KEPT = ("accuracy", "nll", "ece")
"""Of the metrics of classification, those that are known of each period."""

FIRST, LAST, STREAMED = "first", "last", "stream"
AVERAGED = (*KEPT, *LEARNING)


class Streaming(Classification):
    """After the period ``number``. The test set, all of it as the last period is, is read after the first and the last.

    ``learning``: what is to be said of what it taught, None of the first; ``history``: metrics after those before it.
    """

    knows_gaps = False  # validation is as the first period was

    def __init__(
        self,
        data: Parts,
        number: int,
        learning: Learned | None,
        history: Sequence[Mapping[str, float]],
    ) -> None:
        super().__init__(data)
        self.declared = (*self.declared, *STREAM)
        self.number, self.learning, self.history = number, learning, list(history)

    @property
    def periods(self) -> Periods:
        periods = self.data.splits.periods
        assert periods
        return periods

    def full(self, networks: Networks) -> Outcome:
        names = self.periods.names
        is_last = self.number == len(names) - 1
        if self.number == 0 or is_last:
            outcome = super().full(networks)
        else:
            outcome = Outcome(self.validate(networks) if "val" in self.data.held_out else {}, {}, {})
        network = next(iter(networks.values()))
        metrics = outcome.metrics | self._over_periods(network, names)
        if self.learning:
            metrics |= self.learning(network)
        pictures = outcome.pictures
        if is_last:
            history = [*self.history, metrics]
            metrics |= averages(history[1:]) | early(history[1:])
            pictures |= self._pictures(history, names)
        return Outcome(metrics, outcome.predictions, pictures, outcome.documents)

    def _over_periods(self, network: Evaluable, names: list[str]) -> dict[str, float]:
        """Of all periods where they are few, and else of the first, the present and the last."""
        places = {FIRST: names[0], PRESENT: names[self.number], LAST: names[-1]}
        judged = names if len(names) <= MOST_MAPPED else dict.fromkeys(places.values())
        by_name = {}
        for name in judged:
            labels = self.periods.labels(name)
            if labels is not None:
                by_name[name] = scores(self.data.outputs(network, name).cpu().numpy(), labels)
        there = {word: by_name[name] for word, name in places.items() if name in by_name}
        metrics = {f"{word}/{key}": values[key] for word, values in there.items() for key in KEPT}
        if len(names) <= MOST_MAPPED:
            metrics |= {f"{name}/accuracy": values["accuracy"] for name, values in by_name.items()}
        return metrics

    def _pictures(self, history: list[Mapping[str, float]], names: list[str]) -> dict[str, Draw]:
        classes = self.data.splits.classes

        def curves() -> "Figure":
            from sdrun.methods.online.pictures import over_the_stream

            return over_the_stream(history)

        def heat() -> "Figure":
            from sdrun.methods.online.pictures import after_and_of

            return after_and_of([[metrics[f"{name}/accuracy"] for name in names] for metrics in history])

        def classes_of(key: str, title: str) -> "Figure":
            from sdrun.methods.online.pictures import by_class

            return by_class(history, f"{PRESENT}/{key}", title, classes)

        pictures: dict[str, Draw] = {"stream/accuracy": curves}
        if all(f"{name}/accuracy" in metrics for metrics in history for name in names):
            pictures["stream/periods"] = heat
        for key, title in {RIGHT: "pseudo-labels that are right, %", MASK: "items that count, %"}.items():
            is_told = any(f"{PRESENT}/{key}/{name}" in metrics for metrics in history for name in classes)
            if is_told and len(history) <= MOST_MAPPED + 1 and len(classes) <= MOST_MAPPED:
                pictures[f"stream/{key}"] = partial(classes_of, key, title)
        return pictures


def averages(history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over the periods after the first, of what each has."""
    means = {}
    for name in AVERAGED:
        values = [metrics[key] for metrics in history if (key := f"{PRESENT}/{name}") in metrics]
        if values:
            means[f"{STREAMED}/{name}"] = float(np.mean(values))
    return means


def early(history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """By what settings may be chosen without a look at what comes later: the mean over a quarter of the periods."""
    values = [metrics.get(f"{PRESENT}/{PREQUENTIAL}") for metrics in history[: -(-len(history) // EARLY)]]
    measured = [value for value in values if value is not None]
    return {f"val/{PREQUENTIAL}": float(np.mean(measured))} if measured else {}
