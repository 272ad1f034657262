"""Class-wise self-distillation: one stage on pairs of a class."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.cs_kd.objective import ClassWise
from sdrun.methods.cs_kd.settings import Settings


def run(settings: Settings, experiment: Experiment) -> Stage:
    objective = ClassWise(experiment.student(0), settings)
    return experiment.fit("cs_kd", objective, experiment.class_pairs(0, settings.view))
