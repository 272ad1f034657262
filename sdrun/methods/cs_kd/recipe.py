"""Class-wise self-distillation: one stage on pairs of a class."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.cs_kd.objective import ClassWise
from sdrun.methods.cs_kd.pairs import ClassPairs
from sdrun.methods.cs_kd.settings import CSKDSettings


def run(settings: CSKDSettings, experiment: Experiment) -> Stage:
    objective = ClassWise(experiment.student(0), experiment.answers, settings)
    pairs = ClassPairs(experiment.stream(0, {settings.view: 1}), experiment.labels)
    return experiment.fit("cs_kd", objective, pairs)
