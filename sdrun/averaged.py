"""A training whose average counts."""

from torch import nn

from sdrun.objectives.objective import Objective, StepOutput
from sdrun.schedules import ema_momentum
from sdrun.settings import MomentumSchedule
from sdrun.streams.batch import Batch
from sdrun.teachers.ema import EMA
from sdrun.trees import Tree


class Averaged(Objective):
    """Another objective, of which a running average of the student's weights is judged and goes on, not these.

    Robust to wrong labels by itself (2411.18704). In a short training ``momentum`` is less, see ``ema_momentum``.
    """

    def __init__(self, objective: Objective, momentum: float, num_steps: int) -> None:
        super().__init__()
        self.student, self.teachers = objective.student, objective.teachers
        self.objective, self.average = objective, EMA(objective.student)
        self.momentum, self.num_steps = momentum, num_steps

    @property
    def is_taught(self) -> bool:
        return self.objective.is_taught

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"": self.average.network, "student": self.student}

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        return self.objective.targets(batch, network)

    def forward(self, batch: Batch) -> StepOutput:
        output: StepOutput = self.objective(batch)
        return output

    def before_step(self, step: int) -> None:
        self.objective.before_step(step)

    def after_step(self, step: int) -> None:
        self.objective.after_step(step)
        momentum = ema_momentum(MomentumSchedule.by_length, self.momentum, step, self.num_steps)
        self.average.follow(self.student, momentum)

    def watch(self, step: int, values: dict[str, float]) -> None:
        self.objective.watch(step, values)


def averaged(objective: Objective, momentum: float, num_steps: int) -> Objective:
    """The objective itself where ``momentum`` is 0."""
    return Averaged(objective, momentum, num_steps) if momentum else objective
