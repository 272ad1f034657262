"""The truth as a round made it."""

from torch import Tensor, nn

from sdrun.answers.answers import Answers
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.streams.batch import Batch
from sdrun.trees import tree_map


class Refined(Objective):
    """``CE(z, y)`` of labels [B, K] that models made which are no part of this stage: their word, or a control's."""

    def __init__(self, student: nn.Module, answers: Answers, role: str, smoothing: float) -> None:
        super().__init__()
        self.student, self.answers, self.role, self.smoothing = student, answers, role, smoothing
        self.teachers = []

    @property
    def is_taught(self) -> bool:
        """Not by a network: nobody is to speak in its place."""
        return False

    def forward(self, batch: Batch) -> StepOutput:
        answer = tree_map(Tensor.float, self.student(batch.views[self.role][0]))
        truth = self.answers.truth(answer, batch.known, self.smoothing)
        return StepOutput({self.answers.term: truth}, answer, batch.known["label"])
