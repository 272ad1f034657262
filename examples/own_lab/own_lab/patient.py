"""A method: a second network learns from the first, at first not at all, and more with every step."""

from dataclasses import dataclass

import sdrun
from sdrun.experiment import Experiment, Stage
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.objectives.taught import Taught, Teacher
from sdrun.settings import MethodSettings, require_range
from sdrun.streams.batch import Batch


@dataclass
class PatientSettings(MethodSettings):
    """``trust``: weight of the teacher's answers in the end; it grows from 0 in a straight line."""

    trust: float = 0.8

    def __post_init__(self) -> None:
        require_range("method.trust", self.trust, 0, 1)

    @property
    def roles(self) -> tuple[str, ...]:
        return ("weak",)

    @property
    def stages(self) -> tuple[str, ...]:
        return ("first", "second")


class Patient(Objective):
    """``(1 - weight) truth + weight distance``: of the student's answer to the labels, and to the teacher's answer."""

    def __init__(self, experiment: Experiment, teacher: Teacher, trust: float, num_steps: int) -> None:
        super().__init__()
        self.student, self.answers = experiment.student(1), experiment.answers
        self.teacher, self.teachers = teacher, teacher.lineage
        self.trust, self.num_steps = trust, num_steps

    def forward(self, batch: Batch) -> StepOutput:
        answer = self.student(batch.views["weak"][0]).float()
        targets = self.teacher(batch)
        weight = self.trust * batch.step / self.num_steps
        terms = {
            "truth": (1 - weight) * self.answers.truth(answer, batch.known),
            "distillation": weight * self.answers.distance(answer, targets).mean(),
        }
        return StepOutput(terms, answer, targets)


@sdrun.method("patient")
def run(settings: PatientSettings, experiment: Experiment) -> Stage:
    first = experiment.fit("first", Taught(experiment.student(0), experiment.answers), experiment.stream(0))
    stream = experiment.stream(1)
    second = Patient(experiment, experiment.teacher([first]), settings.trust, experiment.num_steps(stream))
    return experiment.fit("second", second, stream)
