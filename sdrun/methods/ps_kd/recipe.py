"""Progressive self-distillation: one stage."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.ps_kd.objective import Progressive
from sdrun.methods.ps_kd.settings import PSKDSettings


def run(settings: PSKDSettings, experiment: Experiment) -> Stage:
    stream = experiment.stream(0, {settings.view: 1})
    num_classes = experiment.num_classes
    num_steps, gather = experiment.num_steps(stream), experiment.hardware.gather
    student, answers, truth = experiment.student(0), experiment.answers, experiment.truth
    objective = Progressive(student, answers, settings, truth, num_classes, num_steps, gather)
    return experiment.fit("ps_kd", objective, stream)
