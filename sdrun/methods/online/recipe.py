"""Online: a labelled period, and then period after period without labels."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sdrun.data.periods import Periods
from sdrun.errors import require
from sdrun.experiment import Experiment, Stage
from sdrun.judges.metric import UNCHANGED
from sdrun.methods.online.judge import Streaming
from sdrun.methods.online.learning import objection, unchanged
from sdrun.methods.online.settings import SOURCE, Keep, Labeller, Learns, OnlineSettings, Scope
from sdrun.methods.online.statistics import require_statistics
from sdrun.methods.online.updates import Updates
from sdrun.objectives.taught import Taught
from sdrun.teachers.ema import EMA


def run(settings: OnlineSettings, experiment: Experiment) -> Stage:
    return _Online(settings, experiment).run()


class _Online:
    """``last``: the stage whose network counts; ``held``: the stages whose files something still needs, by period;
    ``history``: metrics after each period so far.
    """

    def __init__(self, settings: OnlineSettings, experiment: Experiment) -> None:
        self.settings, self.experiment = settings, experiment
        self.student = experiment.student(0)
        self.held = deque[list[str]]()
        self.history = list[Mapping[str, float]]()
        if settings.learns is Learns.statistics:
            require_statistics(self.student)
        if settings.learns is Learns.weights and (periods := experiment.data.splits.periods):
            self._require_enough(periods)

    def _require_enough(self, periods: Periods) -> None:
        """Raise InputError where a model cannot learn from a period, or what is asked for cannot be measured."""
        if periods.smallest is None:
            at_once = "is everything, and dataset/stream=files reads one period at a time; choose another"
            require(self.settings.scope is not Scope.everything, "method.scope", at_once)
        else:
            num, least = periods.smallest, self.experiment.least
            left = num - int(self.settings.drop * num)
            few = (
                f"leaves {left} items of a period to learn from, and the model needs {least}; lower it, or method.drop"
            )
            require(left >= least, "dataset.stream.periods", few)
        hidden = "is truth, and nobody knows that of dataset.stream.labelled=false; choose another"
        is_there = periods.has_labels or self.settings.labeller is not Labeller.truth
        require(is_there, "method.labeller", hidden)
        lacks = "is measured on validation items, and there are none; set dataset.val_size"
        for key, usual in {"precision": None, "least_accuracy": 0}.items():
            is_measured = "val" in self.experiment.data.held_out or vars(self.settings)[key] == usual
            require(is_measured, f"method.{key}", lacks)

    def run(self) -> Stage:
        settings, experiment = self.settings, self.experiment
        objective = Taught(self.student, experiment.answers, role=settings.view, smoothing=settings.label_smoothing)
        stream = experiment.labelled(0, {settings.view: 1})
        self.last = experiment.fit(SOURCE, objective, stream, Streaming(experiment.data, 0, None, []))
        self.history.append(self.last.metrics)
        average = EMA(self.student) if settings.labeller is Labeller.ema else None
        self.updates = Updates(settings, experiment, self.student, average, self.last)
        for number, name in enumerate(experiment.periods[1:], start=1):
            if over := experiment.released(f"{name}_{UNCHANGED}", self.last.network):
                self.last = replace(self.last, metrics=over.metrics)
                self._release([name, *self.updates.made(name)])
            elif over := experiment.released(name, self.last.network):
                self.last = over
                self.updates.pass_over(name, over)
                self._release([name, *self.updates.made(name)])
            else:
                self._after(number, name)
            self.history.append(self.last.metrics)
        return self.last

    def _after(self, number: int, name: str) -> None:
        """Let ``last`` be the stage that counts after a period."""
        before = self.updates.weights()
        judged = partial(Streaming, self.experiment.data, number, history=self.history)
        stage, learning = self.updates.learn(number, name, judged)
        if stage is None:
            self._unchanged(name, "too few of its items count", judged(lambda network: unchanged(learning(network))))
        elif reason := objection(stage.metrics, self.settings):
            of_update = unchanged(stage.metrics)
            self.updates.take_back(before)
            self._unchanged(name, reason, judged(lambda _: of_update))
        else:
            self.last = stage
            self.held.append(self.updates.go_on(name, stage))
            if len(self.held) > self.settings.members:
                self._release(self.held.popleft())

    def _unchanged(self, name: str, reason: str, judge: Streaming) -> None:
        """Judge the network as it was before a period, as a stage of its own, and let that count."""
        back, is_last = f"{name}_{UNCHANGED}", name == self.experiment.periods[-1]
        self.experiment.tell("Unchanged", f"{name}: {reason}; the network stays as it was")
        metrics = self.experiment.evaluate(back, self.last.network, judge)
        self.last = replace(self.last, metrics=metrics)
        self._release([] if is_last else [back, name, *self.updates.made(name)])

    def _release(self, names: list[str]) -> None:
        if self.settings.keep is Keep.needed:
            self.experiment.release(*names)
