"""Born-again networks: a line of generations, each taught by those before it."""

from torch import Tensor

from sdrun.experiment import Experiment, Stage
from sdrun.losses.distillation import cwtm, kd, permute_wrong
from sdrun.methods.born_again.settings import Objective, Settings, Teacher
from sdrun.objectives.classification import CrossEntropy, Distilled, Divergence
from sdrun.streams.batch import Batch


def run(settings: Settings, experiment: Experiment) -> Stage:
    line = [experiment.fit("generation_0", CrossEntropy(experiment.student(0)), experiment.stream(0))]
    for generation in range(1, settings.generations):
        stages = line if settings.teacher is Teacher.ensemble else line[-1:]
        objective = Distilled(
            experiment.student(generation),
            experiment.frozen(stages),
            divergence=_divergence(settings),
            alpha=settings.alpha,
        )
        line.append(experiment.fit(f"generation_{generation}", objective, experiment.stream(generation)))
    if len(line) > 1:
        experiment.evaluate("ensemble", experiment.frozen(line).logits)
    return line[-1]


def _divergence(settings: Settings) -> Divergence:
    temperature = settings.temperature

    def soft_labels(student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        return kd(student, teacher, temperature)

    def weighted_labels(student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        return cwtm(student, teacher, batch.label, temperature)

    def permuted_labels(student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        draws = batch.draws.uniform("dkpp", teacher.shape[1]).to(teacher.device)
        return kd(student, permute_wrong(teacher, draws), temperature)

    return {
        Objective.kd: soft_labels,
        Objective.cwtm: weighted_labels,
        Objective.dkpp: permuted_labels,
    }[settings.objective]
