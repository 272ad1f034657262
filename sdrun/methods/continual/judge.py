"""Networks that learn one task after another, judged on each of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from sdrun.judges.classification import Classification
from sdrun.judges.drawing import Draw
from sdrun.judges.judge import Networks, Outcome, prefixed
from sdrun.judges.metric import RETENTION
from sdrun.judges.metrics import is_right, scores
from sdrun.judges.parts import Parts
from sdrun.losses.distillation import NEVER
from sdrun.methods.continual.measures import average, backward, divergence, forgetting, forward
from sdrun.methods.continual.settings import ContinualSettings, Heads

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEW, OLD = "new", "old"


class Retention(Classification):
    """After the task ``number`` of those with these ``names``; ``history``: metrics before the first, and after each
    before this one.

    ``before``: the network before the task, None before which there was none that counts.
    """

    knows_gaps = False  # what a teacher knows is not what its student learns

    def __init__(
        self,
        data: Parts,
        settings: ContinualSettings,
        names: Sequence[str],
        number: int,
        history: Sequence[Mapping[str, float]],
        before: nn.Module | None,
    ) -> None:
        super().__init__(data)
        self.declared = (*RETENTION, *self.declared)
        self.settings, self.names, self.number = settings, list(names), number
        self.history, self.before = list(history), before

    def validate(self, networks: Networks) -> dict[str, float]:
        metrics: dict[str, float] = {}
        by_word = self._logits(networks, "val")
        for word, logits in by_word.items():
            metrics |= prefixed("val", word, scores(logits, self.data.right["val"]))
        return metrics | self._of_tasks("val", by_word[""])

    def score(self, metrics: dict[str, float]) -> list[float]:
        if "val/kept" in metrics:
            return [metrics["val/kept"], -metrics["val/nll"]]
        return [metrics["val/average_accuracy"], -metrics["val/nll"]]

    def full(self, networks: Networks) -> Outcome:
        outcome = super().full(networks)
        metrics = dict(outcome.metrics)
        for part in ("val", "test"):
            if part in self.data.held_out:
                metrics |= self._of_tasks(part, outcome.predictions[f"{part}_logits"])
        metrics |= self._over_tasks(metrics)
        if self.before is not None:
            index = np.flatnonzero(self.data.splits.task_of("test") == self.number)
            then = self._headed(self.data.outputs(self.before, "test", index).cpu().numpy(), "test", index)
            metrics["test/new/start_kl"] = divergence(then, outcome.predictions["test_logits"][index])
        documents = dict(outcome.documents)
        pictures = dict(outcome.pictures)
        matrix = self._matrix(metrics)
        if self.number == len(self.names) - 1 and matrix:
            documents["retention"] = {"tasks": list(self.data.splits.tasks), "accuracy": matrix}
            pictures |= self._pictures(matrix)
        return Outcome(metrics, outcome.predictions, pictures, documents)

    def _logits(self, networks: Networks, part: str) -> dict[str, np.ndarray]:
        """Of the head that answers."""
        every = slice(None)
        return {word: self._headed(logits, part, every) for word, logits in super()._logits(networks, part).items()}

    def _headed(self, logits: np.ndarray, part: str, index: np.ndarray | slice) -> np.ndarray:
        """Logits [N, K] of some items of a part, those of other heads as if they never spoke."""
        if self.settings.heads is Heads.one:
            return logits
        splits = self.data.splits
        of = splits.task_of("test" if part == self.data.copy else part)[index]
        headed: np.ndarray = np.where(splits.classes_of_tasks[of], logits, NEVER).astype(logits.dtype)
        return headed

    def _of_tasks(self, part: str, logits: np.ndarray) -> dict[str, float]:
        """Accuracy on each task, on the new one, on those before it, and on all that are known."""
        right, of = is_right(logits.argmax(axis=1), self.data.right[part]), self.data.splits.task_of(part)
        accuracies = {
            number: float(right[of == number].mean()) for number in range(len(self.names)) if (of == number).any()
        }
        metrics = {f"{part}/{self.names[number]}/accuracy": value for number, value in accuracies.items()}
        old = [value for number, value in accuracies.items() if number < self.number]
        if self.number in accuracies:
            metrics[f"{part}/{NEW}/accuracy"] = accuracies[self.number]
            metrics[f"{part}/average_accuracy"] = average([*old, accuracies[self.number]])
        if old:
            metrics[f"{part}/{OLD}/accuracy"] = average(old)
            if self.settings.level is not None and part == "val" and self.number in accuracies:
                short = accuracies[self.number] - self.settings.level
                metrics["val/kept"] = short if short < 0 else average(old)
        return metrics

    def _over_tasks(self, metrics: Mapping[str, float]) -> dict[str, float]:
        matrix = self._matrix(metrics)
        if len(matrix) < 3 or len(matrix) < self.number + 2:
            return {}
        start, after = matrix[0], matrix[1:]
        values = {"forgetting": forgetting(after), "backward_transfer": backward(after)}
        values["forward_transfer"] = forward(start, after)
        return {f"test/{name}": value for name, value in values.items()}

    def _matrix(self, metrics: Mapping[str, float]) -> list[list[float]]:
        """Accuracies on each task [T] before the first task, and after each so far; none where some are not known."""
        keys = [f"test/{name}/accuracy" for name in self.names]
        every = [*self.history, metrics]
        return [[one[key] for key in keys] for one in every] if all(key in one for one in every for key in keys) else []

    def _pictures(self, matrix: list[list[float]]) -> dict[str, Draw]:
        titles = list(self.data.splits.tasks)

        def heat() -> "Figure":
            from sdrun.methods.continual.pictures import after_and_on

            return after_and_on(matrix, titles)

        return {"tasks/accuracy": heat}
