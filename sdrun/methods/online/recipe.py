"""Online: a labelled period, and then period after period without labels."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import nn

from sdrun.data.source import Fields, Rows, Source, With
from sdrun.errors import require
from sdrun.experiment import Experiment, Stage
from sdrun.judges.judge import Evaluable
from sdrun.methods.online.judge import Learned, Streaming
from sdrun.methods.online.labels import COUNTS, LABEL, PREDICTION, pseudo_labels
from sdrun.methods.online.objective import LABELLED, Online
from sdrun.methods.online.settings import SOURCE, Labeller, Learns, OnlineSettings, Scope
from sdrun.methods.online.statistics import load_statistics, require_statistics, statistics
from sdrun.objectives.taught import Taught
from sdrun.streams.batch import Stream
from sdrun.streams.shuffled import Beside
from sdrun.teachers.ema import EMA

LABELS, STATISTICS = "labels", "statistics"
"""What is made of a period, as the names of stages end."""


def run(settings: OnlineSettings, experiment: Experiment) -> Stage:
    return _Online(settings, experiment).run()


class _Online:
    """``history``: metrics after each period so far."""

    def __init__(self, settings: OnlineSettings, experiment: Experiment) -> None:
        self.settings, self.experiment = settings, experiment
        self.student = experiment.student(0)
        self.average: EMA | None = None
        self.history = list[Mapping[str, float]]()
        if settings.learns is Learns.statistics:
            require_statistics(self.student)
        if settings.learns is Learns.weights and (periods := experiment.data.splits.periods):
            self._require_enough(min(map(len, periods.rows[1:])))

    def _require_enough(self, num: int) -> None:
        """Raise InputError where a model cannot learn from what is left of a period of so many items."""
        left, least = num - int(self.settings.drop * num), self.experiment.settings.model.smallest_batch
        few = f"leaves {left} items of a period to learn from, and the model needs {least}; lower it, or method.drop"
        require(left >= least, "dataset.stream.periods", few)

    def run(self) -> Stage:
        settings, experiment = self.settings, self.experiment
        objective = Taught(self.student, experiment.answers, role=settings.view, smoothing=settings.label_smoothing)
        stream = experiment.labelled(0, {settings.view: 1})
        source = last = experiment.fit(SOURCE, objective, stream, self._judge(0, None))
        self.history.append(source.metrics)
        self.source = replace(source, network=deepcopy(source.network))
        if settings.labeller is Labeller.ema:
            self.average = EMA(self.student)
        for number, name in enumerate(experiment.periods[1:], start=1):
            stage = experiment.released(name, last.network)
            if stage is None:
                stage = self._after(number, name, last)
                experiment.release(*self._left(number - 1))
            self.history.append(stage.metrics)
            last = stage
        return last

    def _after(self, number: int, name: str, last: Stage) -> Stage:
        """What comes of a period, given the stage before it."""
        settings, experiment, items = self.settings, self.experiment, self._items(number)
        if settings.learns is Learns.weights:
            return self._trained(number, name, last)
        if settings.learns is Learns.statistics:
            measured = partial(statistics, self.student, items, experiment.data)
            load_statistics(self.student, experiment.make(f"{name}_{STATISTICS}", measured, [self.source]).fields)

        def learned(network: Evaluable) -> dict[str, np.ndarray]:
            if settings.scope is not Scope.period:
                return {}
            return {PREDICTION: experiment.data.answers(network, items).argmax(dim=1).cpu().numpy()}

        metrics = experiment.evaluate(name, self.student.eval(), self._judge(number, learned))
        return replace(self.source, network=self.student, metrics={**self.source.metrics, **metrics})

    def _trained(self, number: int, name: str, last: Stage) -> Stage:
        settings, experiment, items = self.settings, self.experiment, self._items(number)
        label = partial(self._labels, items, number, last.network)
        made = experiment.make(f"{name}_{LABELS}", label, [last]).fields
        chosen = Rows(With(items, {LABEL: made[LABEL]}), made[COUNTS].nonzero().squeeze(1))
        stream: Stream = experiment.stream(number, {settings.view: 1}, source=chosen)
        if settings.labelled_ratio:
            labelled = experiment.labelled(number, {settings.view: 1}, settings.labelled_ratio)
            stream = Beside(stream, {LABELLED: labelled})
        source = experiment.teacher([self.source], settings.view) if settings.stay else None
        objective = Online(self.student, experiment.answers, settings, source, self.average, [last.lineage])
        told = {field: values.cpu().numpy() for field, values in made.items()}
        return experiment.fit(name, objective, stream, self._judge(number, lambda _: told))

    def _labels(self, items: Source, number: int, network: nn.Module) -> Fields:
        """What the network says of the items of a period, or what is true of them."""
        fields = pseudo_labels(self.experiment.data.answers(network, items), self.settings)
        if self.settings.labeller is Labeller.truth:
            truth = torch.as_tensor(self.experiment.data.splits.true_labels[self._rows(number)])
            counts = torch.ones_like(truth, dtype=torch.bool)
            fields |= {LABEL: truth.to(self.experiment.device), COUNTS: counts.to(self.experiment.device)}
        if self.settings.scope is not Scope.period:
            del fields[PREDICTION]
        return fields

    def _judge(self, number: int, learned: Learned | None) -> Streaming:
        return Streaming(self.experiment.data, number, self._rows(number), learned, self.history)

    def _left(self, number: int) -> list[str]:
        """Stages of a period that nothing needs once the next one is over."""
        name = self.experiment.periods[number]
        made = {Learns.weights: [f"{name}_{LABELS}"], Learns.statistics: [f"{name}_{STATISTICS}"], Learns.nothing: []}
        return [name, *made[self.settings.learns]] if number else []

    def _items(self, number: int) -> Source:
        return self.experiment.period(self._learned_from(number))

    def _rows(self, number: int) -> np.ndarray:
        return self.experiment.rows(self._learned_from(number))

    def _learned_from(self, number: int) -> list[int]:
        """The periods whose items are learned from after so many."""
        num = len(self.experiment.periods)
        controls = {Scope.last: [num - 1], Scope.everything: list(range(1, num))}
        return controls.get(self.settings.scope, [number]) if number else [0]
