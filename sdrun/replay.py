"""Stages that come from a finished run: nothing is trained, everything is evaluated again."""

from dataclasses import replace

from sdrun.context import Context
from sdrun.evaluation.evaluator import Evaluable, Evaluation, Networks, TrainingEvaluation
from sdrun.objectives.objective import Objective
from sdrun.results import Results, recorded_digest
from sdrun.storage.checkpoints import load_state
from sdrun.storage.folder import RunFolder
from sdrun.storage.stage import StageResult
from sdrun.streams.batch import Stream


class Replay:
    """Takes the weights of stages from the run ``source``, and writes what they give to the folder of ``context``."""

    def __init__(self, context: Context, source: RunFolder) -> None:
        self.context, self.source = context, source

    def fit(self, name: str, objective: Objective, stream: Stream, evaluation: TrainingEvaluation) -> StageResult:
        """See ``Stages.fit``. Raises RunError where the run's weights are damaged, or nothing tells their hash."""
        settings, hardware, folder = self.context.settings, self.context.hardware, self.context.folder
        chosen = settings.optim.select.value
        trained = self.source.finished(name) or StageResult(name=name, steps=0, seconds=0.0, metrics={})
        weights = self.source.weights(name, chosen)
        objective.load_state_dict(load_state(weights, hardware.device, recorded_digest(trained, chosen)))
        folder.update_manifest(teachers={**folder.manifest["teachers"], name: objective.teachers})
        return replace(trained, metrics=self._evaluated(name, objective.networks, evaluation).metrics)

    def evaluate(self, name: str, network: Evaluable, evaluation: Evaluation) -> StageResult:
        """See ``Stages.evaluate``."""
        return self._evaluated(name, {"": network}, evaluation)

    def _evaluated(self, name: str, networks: Networks, evaluation: Evaluation) -> StageResult:
        assert self.context.record
        self.context.record.begin(name, 1, 0)
        return Results(self.context, evaluation).of_evaluation(name, networks)
