"""Where the stages of an experiment come from."""

from collections.abc import Callable
from typing import Protocol

from sdrun.data.source import Fields
from sdrun.judges.judge import Evaluable, Judge, TrainingJudge
from sdrun.objectives.objective import Objective
from sdrun.storage.stage import StageResult
from sdrun.streams.batch import Stream


class Stages(Protocol):
    """Where the stages of an experiment come from: ``training.Training`` or ``replay.Replay``, on every rank."""

    def fit(
        self, name: str, objective: Objective, stream: Stream, judge: TrainingJudge, other: str = ""
    ) -> StageResult:
        """The result of a stage. Leaves the objective with its final weights. ``other``: see ``StageResult``."""

    def make(self, name: str, produce: Callable[[], Fields], teachers: list[dict[str, str]]) -> Fields:
        """What a stage produced, on the run's device."""

    def evaluate(self, name: str, network: Evaluable, judge: Judge, other: str = "") -> StageResult:
        """The result of a stage that trains nothing."""

    def keep(self, name: str, make: Callable[[], bytes]) -> None:
        """Write a file of the run's folder, once."""

    def release(self, name: str) -> None:
        """Delete the weights or items of a finished stage, if there is such, and note that."""

    def released(self, name: str) -> StageResult | None:
        """The result of a stage that was released; None of any other."""
