"""Continual: a task with its labels, and then another and another."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

import torch

from sdrun.answers.categorical import Categorical
from sdrun.data.reservoir import KEY, sample
from sdrun.data.source import Fields, Memory, Source, With
from sdrun.errors import require
from sdrun.experiment import Experiment, Stage
from sdrun.methods.continual.judge import Retention
from sdrun.methods.continual.labels import learned
from sdrun.methods.continual.objective import LOGITS, RECALLED, REPLAYED, Continual
from sdrun.methods.continual.settings import ContinualSettings, Heads, Scope, Targets
from sdrun.streams.batch import Stream
from sdrun.streams.shuffled import Beside
from sdrun.teachers.frozen import Frozen

START, BUFFER = "start", "buffer"
"""The stage that knows nothing, and how those end that keep items."""


def run(settings: ContinualSettings, experiment: Experiment) -> Stage:
    return _Continual(settings, experiment).run()


class _Continual:
    """``kept``: a sample of the items of earlier tasks, nothing at first; ``history``: metrics before the first task
    and after each so far.
    """

    def __init__(self, settings: ContinualSettings, experiment: Experiment) -> None:
        self.settings, self.experiment, self.splits = settings, experiment, experiment.data.splits
        self.student = experiment.student(0)
        self.kept: Fields = {}
        self.history = list[Mapping[str, float]]()
        self.members = torch.as_tensor(self.splits.classes_of_tasks, device=experiment.device)
        is_told = settings.heads is Heads.one or bool(self.splits.tasks)
        require(is_told, "method.heads", "each answers for items of a task, and these are of none")

    def run(self) -> Stage:
        experiment = self.experiment
        judge = Retention(experiment.data, self.settings.of_first, experiment.periods, 0, [], None)
        self.history.append(experiment.evaluate(START, self.student.eval(), judge, other="nothing learned"))
        last: Stage | None = None
        is_gone = False
        for number, name in enumerate(experiment.periods):
            if over := experiment.released(name, self.student):
                last = over  # its weights are gone, and the task after it was learned
                if self.settings.is_kept and not experiment.released(f"{name}_{BUFFER}", self.student):
                    self._keep(number, name, over)
            else:
                last = self._learn(number, name, last, is_gone)
            is_gone = over is not None
            self.history.append(last.metrics)
        assert last
        return last

    def _learn(self, number: int, name: str, last: Stage | None, is_gone: bool) -> Stage:
        """The stage of a task; ``is_gone``: whether the weights of the ``last`` are, for this one was learned then."""
        experiment, settings = self.experiment, self.settings if last else self.settings.of_first
        before = self._as_it_is(last) if last else None
        items = self._items(list(range(number + 1)) if settings.scope is Scope.all else [number])
        assert isinstance(experiment.answers, Categorical)
        teacher = before if settings.asks_before else None
        objective = Continual(self.student, experiment.answers, settings, teacher, self.members, number)
        compared = None if before is None or is_gone else before.network
        judge = Retention(experiment.data, settings, experiment.periods, number, self.history, compared)
        stage = experiment.fit(name, objective, self._stream(number, items), judge)
        is_last = name == experiment.periods[-1]
        if self.settings.is_kept and not is_last:
            self._keep(number, name, stage)
        self._release(number)
        return stage

    def _as_it_is(self, stage: Stage) -> Frozen:
        """The network of a stage, which goes on to learn, as a teacher that does not."""
        return self.experiment.teacher([replace(stage, network=deepcopy(stage.network))], self.settings.view)

    def _items(self, numbers: list[int], is_kept: bool = False) -> Source:
        """Items of some tasks, with what is learned of each; of those that are kept all in one form."""
        source = self.experiment.of_tasks(numbers)
        if self.splits.train.right is None:
            return source
        right = source.fetch(torch.arange(len(source)))["label"]
        has_several = is_kept or bool((right.sum(dim=1) > 1).any())
        targets = self.settings.targets if has_several else Targets.label
        return With(source, {"label": learned(targets, right, self.experiment.settings.seed, "answers", *numbers)})

    def _stream(self, number: int, items: Source) -> Stream:
        settings, views = self.settings, {self.settings.view: 1}
        stream = self.experiment.stream(number, views, source=items)
        if not self.kept:
            return stream
        kept = {name: values for name, values in self.kept.items() if name != KEY}
        beside = {
            word: self.experiment.stream(number, views, source=Memory(kept), times=times, word=word)
            for word, times in {REPLAYED: settings.replayed_ratio, RECALLED: settings.recalled_ratio}.items()
            if times
        }
        return Beside(stream, beside)

    def _keep(self, number: int, name: str, stage: Stage) -> None:
        """Let the sample be that after a task, with what the network says of its items then."""
        settings, experiment = self.settings, self.experiment
        items = self._items([number], is_kept=True)

        def made() -> Fields:
            told = (
                With(items, {LOGITS: experiment.data.answers(stage.network, items)})
                if settings.recalled_ratio
                else items
            )
            return sample(self.kept, told, settings.buffer, experiment.settings.seed, name, BUFFER)

        of = f"{name}_{BUFFER}"
        self.kept = experiment.make(of, made, [stage], of=items).fields
        experiment.tell("Buffer", f"{len(self.kept[KEY]):,} items, {_bytes(self.kept) / 1e6:.1f} MB, after {name}")

    def _release(self, number: int) -> None:
        """Delete what nothing needs after a task: its network and the one before are judged again, with their items."""
        names = self.experiment.periods
        if number > 1:
            self.experiment.release(names[number - 2])
        if number > 2 and self.settings.is_kept:
            self.experiment.release(f"{names[number - 3]}_{BUFFER}")


def _bytes(fields: Fields) -> int:
    return sum(values.numel() * values.element_size() for values in fields.values())
