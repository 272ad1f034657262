"""What a network said at full precision."""

from torch import Tensor, nn

from sdrun.answers.answers import Answers
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch
from sdrun.teachers.frozen import Frozen
from sdrun.trees import Tree, tree_map


class Likeness(Objective):
    """The distance of a student's answers to its teacher's on items of which nothing else is known."""

    def __init__(self, student: nn.Module, answers: Answers, teacher: Frozen) -> None:
        super().__init__()
        self.student, self.answers, self.teacher = student, answers, teacher
        self.teachers = teacher.lineage

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        seen = batch.views[self.teacher.role][0]
        return {"": tree_map(Tensor.float, network(seen)) if network else self.teacher(batch)}

    def forward(self, batch: Batch) -> StepOutput:
        targets = self.targets(batch)[""] if batch.targets is None else batch.targets
        answer = tree_map(Tensor.float, self.student(batch.views[self.teacher.role][0]))
        terms = {"distillation": self.answers.distance(answer, targets).mean()}
        return StepOutput(terms, answer, targets, {"agreement": self.answers.agree(answer, targets).float().mean()})
