"""Stages that come from a finished run: nothing is trained, everything is evaluated again."""

from typing import Any

from sdrun.display import Display
from sdrun.evaluation.evaluator import Data, Evaluable, Evaluation, TrainingEvaluation
from sdrun.hardware import Hardware
from sdrun.objectives.objective import Objective
from sdrun.results import Results, recorded_digest
from sdrun.settings import Settings
from sdrun.storage.checkpoints import load_state
from sdrun.storage.folder import RunFolder
from sdrun.storage.record import Record
from sdrun.streams.batch import Stream


class Replay:
    """Takes the weights of stages from the run ``source``, and writes what they give to ``folder``."""

    def __init__(
        self,
        source: RunFolder,
        settings: Settings,
        data: Data,
        hardware: Hardware,
        folder: RunFolder,
        record: Record,
        display: Display,
        results: list[dict[str, Any]],
    ) -> None:
        self.source, self.settings, self.data, self.hardware = source, settings, data, hardware
        self.folder, self.record, self.display, self.results = folder, record, display, results

    def fit(self, name: str, objective: Objective, stream: Stream, evaluation: TrainingEvaluation) -> dict[str, Any]:
        """See ``Stages.fit``. Raises RunError where the run's weights are damaged, or nothing tells their hash."""
        chosen = self.settings.optim.select.value
        trained = self.source.finished(name) or {"name": name}
        recorded = recorded_digest(trained, chosen)
        objective.load_state_dict(load_state(self.source.weights(name, chosen), self.hardware.device, recorded))
        self.folder.update_manifest(teachers={**self.folder.manifest["teachers"], name: objective.teachers})
        return {**trained, **self._evaluated(name, objective.networks, evaluation)}

    def evaluate(self, name: str, network: Evaluable, evaluation: Evaluation) -> dict[str, Any]:
        """See ``Stages.evaluate``."""
        return self._evaluated(name, {"": network}, evaluation)

    def _evaluated(self, name: str, networks: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
        self.record.begin(name, 1, 0)
        written = Results(self.settings, self.data, evaluation, self.folder, self.record, self.display)
        self.results.append(written.of_evaluation(name, networks))
        return self.results[-1]
