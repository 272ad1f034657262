"""The truth, alone or with a teacher."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor, nn

from sdrun.answers.answers import Answers
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch
from sdrun.trees import Tree, tree_map


class Teacher(Protocol):
    """Answers for a batch, without gradients, and where they come from (see ``Objective.teachers``)."""

    lineage: list[dict[str, str]]

    def __call__(self, batch: Batch) -> Tree: ...


Distance = Callable[[Tree, Tree, Batch], Tensor]
"""Of a student's answer to its teacher's, for a batch: a scalar."""


class Taught(Objective):
    """``(1 - alpha) truth + alpha distance`` on one view that student and teacher share; without a teacher, the truth.

    ``distance``: the mean of the answers' own, if it is not said; ``smoothing``: see ``Answers.truth``. With a teacher
    also logs how often the two agree, and the teacher's own distance to the truth.
    """

    def __init__(
        self,
        student: nn.Module,
        answers: Answers,
        teacher: Teacher | None = None,
        *,
        alpha: float = 0.0,
        distance: Distance | None = None,
        role: str = "weak",
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.student, self.answers, self.teacher = student, answers, teacher
        self.teachers = teacher.lineage if teacher else []
        self.alpha, self.distance = alpha, distance or self._mean_distance
        self.role, self.smoothing = role, smoothing

    @property
    def is_taught(self) -> bool:
        return self.teacher is not None

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        if network:
            return {"": tree_map(Tensor.float, network(batch.views[self.role][0]))}
        return {"": self.teacher(batch)} if self.teacher else {}

    def forward(self, batch: Batch) -> StepOutput:
        answers, known = self.answers, batch.known
        targets = self.targets(batch).get("") if batch.targets is None else batch.targets
        answer = tree_map(Tensor.float, self.student(batch.views[self.role][0]))
        truth = answers.truth(answer, known, self.smoothing)
        if targets is None:
            return StepOutput({answers.term: truth}, answer)
        terms = {
            answers.term: (1 - self.alpha) * truth,
            "distillation": self.alpha * self.distance(answer, targets, batch),
        }
        metrics = {
            "agreement": answers.agree(answer, targets).float().mean(),
            f"teacher_{answers.term}": answers.truth(targets, known),
        }
        return StepOutput(terms, answer, targets, metrics)

    def _mean_distance(self, student: Tree, teacher: Tree, batch: Batch) -> Tensor:
        return self.answers.distance(student, teacher).mean()
