"""How a network changes by a period: its weights, its statistics, or not at all."""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from sdrun.data.reservoir import KEY, sample
from sdrun.data.source import Fields, Memory, Rows, Source, With
from sdrun.experiment import Experiment, Stage
from sdrun.methods.online.judge import Streaming
from sdrun.methods.online.labels import COUNTS, LABEL, PREDICTION, Said, Validated, pseudo_labels
from sdrun.methods.online.learning import Learned, Learning
from sdrun.methods.online.objective import BUFFERED, LABELLED, Online
from sdrun.methods.online.settings import Labeller, Learns, OnlineSettings, Scope
from sdrun.methods.online.statistics import load_statistics, statistics
from sdrun.randomness import generator
from sdrun.streams.batch import Stream
from sdrun.streams.shuffled import Beside
from sdrun.teachers.ema import EMA

LABELS, STATISTICS, BUFFER = "labels", "statistics", "buffer"
"""What is made of a period, as the names of stages end."""

Judged = Callable[[Learned], Streaming]


class Updates:
    """``source``: the stage that has labels; ``labellers``: the last stages that count; ``buffer``: out of all that was
    learned, nothing at first.
    """

    def __init__(
        self, settings: OnlineSettings, experiment: Experiment, student: nn.Module, average: EMA | None, source: Stage
    ) -> None:
        self.settings, self.experiment, self.student, self.average = settings, experiment, student, average
        self.source = replace(source, network=deepcopy(source.network))
        self.labellers = deque([self.source], maxlen=settings.members)
        self.buffer: Fields = {}
        self.buffered = ""

    # One period ------------------------------------------------------------------------------------------------------

    def learn(self, number: int, name: str, judged: Judged) -> tuple[Stage | None, Learned]:
        """The stage that comes of a period, None where nothing of it counts; and what is to be said of its learning."""
        experiment, items = self.experiment, self._items(number)
        if self.settings.learns is Learns.weights:
            return self._trained(number, name, items, judged)
        if self.settings.learns is Learns.statistics:
            measured = partial(statistics, self.student, items, experiment.data)
            load_statistics(
                self.student, experiment.make(f"{name}_{STATISTICS}", measured, [self.source], of=items).fields
            )

        learning = Learning(experiment.data, experiment.period([number]), experiment.hidden([number]))
        metrics = experiment.evaluate(name, self.student.eval(), judged(learning))
        return replace(self.source, network=self.student, metrics=metrics), learning

    def _trained(self, number: int, name: str, items: Source, judged: Judged) -> tuple[Stage | None, Learned]:
        experiment = self.experiment
        label = partial(self._labels, items, number)
        made = experiment.make(f"{name}_{LABELS}", label, self.labellers, of=items).fields
        told = {field: values.cpu().numpy() for field, values in made.items()}

        own = experiment.period([number]), experiment.hidden([number])
        learning = Learning(experiment.data, *own, self._truth(number), told)
        self.chosen = Rows(With(items, {LABEL: made[LABEL]}), self._as_many(name, made[COUNTS].nonzero()[:, 0], number))
        if len(self.chosen) < experiment.least:
            return None, learning
        source = experiment.teacher([self.source], self.settings.view) if self.settings.stay else None
        lineage = [stage.lineage for stage in self.labellers]
        objective = Online(self.student, experiment.answers, self.settings, source, self.average, lineage)
        return experiment.fit(name, objective, self._stream(number), judged(learning)), learning

    def _as_many(self, name: str, rows: Tensor, number: int) -> Tensor:
        """Of rows of items that count as many as one period has, drawn, so that all scopes take as many steps."""
        num_periods = len(self._learned_from(number))
        if num_periods == 1:
            return rows
        drawn = torch.randperm(len(rows), generator=generator(self.experiment.settings.seed, name, "scope"))
        return rows[drawn[: len(rows) // num_periods].to(rows.device)]

    def _stream(self, number: int) -> Stream:
        settings, experiment, views = self.settings, self.experiment, {self.settings.view: 1}
        stream, beside = experiment.stream(number, views, source=self.chosen), dict[str, Stream]()
        if settings.labelled_ratio:
            beside[LABELLED] = experiment.labelled(number, views, settings.labelled_ratio)
        if self.buffer:
            before = Memory({field: values for field, values in self.buffer.items() if field != KEY})
            beside[BUFFERED] = experiment.stream(
                number, views, source=before, times=settings.buffered_ratio, word=BUFFERED
            )
        return Beside(stream, beside) if beside else stream

    def _labels(self, items: Source, number: int) -> Fields:
        """What the labellers say of the items of a period, or what is true of them."""
        data, settings = self.experiment.data, self.settings
        validated, networks = None, [stage.network for stage in self.labellers]
        if "val" in data.held_out:
            of_validation = Said([data.outputs(network, "val") for network in networks])
            labels = torch.as_tensor(data.labels["val"], device=self.experiment.device)
            validated = Validated(of_validation.confidence, of_validation.prediction == labels)
        fields = pseudo_labels(Said([data.answers(network, items) for network in networks]), validated, settings)
        if settings.labeller is Labeller.truth:
            truth = torch.as_tensor(self._truth(number), device=self.experiment.device)
            fields |= {LABEL: truth, COUNTS: torch.ones_like(truth, dtype=torch.bool)}
        if settings.scope is not Scope.period:
            own = self.experiment.period([number])
            fields[PREDICTION] = Said([data.answers(network, own) for network in networks]).prediction
        return fields

    # From period to period -------------------------------------------------------------------------------------------

    def weights(self) -> list[dict[str, Tensor]]:
        """Copies of what an update changes, where it may be taken back."""
        networks = self._networks if self.settings.may_take_back else []
        return [deepcopy(network.state_dict()) for network in networks]

    def take_back(self, weights: list[dict[str, Tensor]]) -> None:
        """Let the networks be what they were."""
        for network, state in zip(self._networks, weights, strict=True):
            network.load_state_dict(state)

    def go_on(self, name: str, stage: Stage) -> list[str]:
        """Let a stage that counts label what comes; the names of all stages that were needed for it."""
        copied = deepcopy(stage.network) if self.settings.members > 1 else stage.network
        self.labellers.append(replace(stage, network=copied))
        return [name, *self.made(name), *self._buffered(name)]

    def pass_over(self, name: str, stage: Stage) -> None:
        """The same where the stage's weights are gone, for nothing needs them any more."""
        self.labellers.append(stage)
        if self.settings.buffered_ratio and not self.experiment.released(f"{name}_{BUFFER}", stage.network):
            self._buffered(name)

    def made(self, name: str) -> list[str]:
        """Stages whose items are made of a period and needed for it alone."""
        made = {Learns.weights: [f"{name}_{LABELS}"], Learns.statistics: [f"{name}_{STATISTICS}"], Learns.nothing: []}
        return made[self.settings.learns]

    def _buffered(self, name: str) -> list[str]:
        """Let the buffer be that after a period; the name of the stage of the one before."""
        before, settings, experiment = self.buffered, self.settings, self.experiment
        if not settings.buffered_ratio:
            return []
        words = (experiment.settings.seed, name, BUFFER)
        self.buffered = f"{name}_{BUFFER}"
        made = experiment.make(self.buffered, lambda: sample(self.buffer, self.chosen, settings.buffer, *words))
        self.buffer = made.fields
        return [before] if before else []

    # Items -----------------------------------------------------------------------------------------------------------

    @property
    def _networks(self) -> list[nn.Module]:
        return [self.student, *([self.average.network] if self.average else [])]

    def _items(self, number: int) -> Source:
        return self.experiment.period(self._learned_from(number))

    def _truth(self, number: int) -> np.ndarray | None:
        return self.experiment.hidden(self._learned_from(number))

    def _learned_from(self, number: int) -> list[int]:
        """The periods whose items are learned from after so many."""
        num = len(self.experiment.periods)
        controls = {Scope.last: [num - 1], Scope.everything: list(range(1, num))}
        return controls.get(self.settings.scope, [number])
