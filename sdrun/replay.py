"""Stages that come from a finished run: nothing is trained."""

from collections.abc import Callable
from dataclasses import replace

from sdrun.context import Context
from sdrun.data.source import Fields
from sdrun.judges.judge import Evaluable, Judge, Networks, TrainingJudge
from sdrun.objectives.objective import Objective
from sdrun.results import Results, load_items, recorded_digest
from sdrun.storage.checkpoints import load_state
from sdrun.storage.folder import RunFolder
from sdrun.storage.stage import StageResult
from sdrun.streams.batch import Stream


class Restored:
    """Takes the weights of stages from the run ``source``, and what is known of them as that run said."""

    def __init__(self, context: Context, source: RunFolder) -> None:
        self.context, self.source = context, source

    def fit(
        self, name: str, objective: Objective, stream: Stream, judge: TrainingJudge, other: str = ""
    ) -> StageResult:
        """See ``Stages.fit``. Raises RunError where the run's weights are damaged, or nothing tells their hash."""
        settings, hardware = self.context.settings, self.context.hardware
        chosen, trained = settings.optim.select.value, self._recorded(name)
        weights = self.source.weights(name, chosen)
        objective.load_state_dict(load_state(weights, hardware.device, recorded_digest(trained, chosen)))
        return trained

    def make(self, name: str, produce: Callable[[], Fields], teachers: list[dict[str, str]]) -> Fields:
        """See ``Stages.make``; nothing is produced. Raises RunError where the run's items are gone or damaged."""
        return load_items(self.source, self._recorded(name), self.context.hardware.device)

    def evaluate(self, name: str, network: Evaluable, judge: Judge, other: str = "") -> StageResult:
        """See ``Stages.evaluate``."""
        return self._recorded(name)

    def keep(self, name: str, make: Callable[[], bytes]) -> None:
        """Nothing: a finished run has its files."""

    def release(self, name: str) -> None:
        """Nothing: a finished run is left as it is."""

    def released(self, name: str) -> StageResult | None:
        """See ``Stages.released``."""
        return self.source.released(name)

    def _recorded(self, name: str) -> StageResult:
        return self.source.finished(name) or StageResult(name=name, steps=0, seconds=0.0, metrics={})


class Replay:
    """Takes stages from the run ``source``, evaluates them again, and writes that to the folder of ``context``."""

    def __init__(self, context: Context, source: RunFolder) -> None:
        self.context, self.restored = context, Restored(context, source)
        self._runs = context.folder, source

    def fit(
        self, name: str, objective: Objective, stream: Stream, judge: TrainingJudge, other: str = ""
    ) -> StageResult:
        """See ``Restored.fit``."""
        trained = self.restored.fit(name, objective, stream, judge)
        self.context.folder.note_teachers(name, [*objective.teachers, *stream.lineage])
        return replace(trained, metrics=self._evaluated(name, objective.networks, judge).metrics)

    def make(self, name: str, produce: Callable[[], Fields], teachers: list[dict[str, str]]) -> Fields:
        """See ``Restored.make``."""
        self.context.folder.note_teachers(name, teachers)
        return self.restored.make(name, produce, teachers)

    def evaluate(self, name: str, network: Evaluable, judge: Judge, other: str = "") -> StageResult:
        """See ``Stages.evaluate``."""
        return self._evaluated(name, {"": network}, judge, other)

    def keep(self, name: str, make: Callable[[], bytes]) -> None:
        """See ``Restored.keep``."""

    def release(self, name: str) -> None:
        """See ``Restored.release``."""

    def released(self, name: str) -> StageResult | None:
        """See ``Stages.released``: it is not evaluated again, so nothing is known of it on other test items."""
        result, tests = self.restored.released(name), [run.manifest["data"]["test"] for run in self._runs]
        return result and (result if tests[0] == tests[1] else replace(result, metrics={}))

    def _evaluated(self, name: str, networks: Networks, judge: Judge, other: str = "") -> StageResult:
        assert self.context.record
        self.context.record.begin(name, 1, 0)
        return Results(self.context, judge, other).of_evaluation(name, networks)
