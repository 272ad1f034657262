"""Supervised training: one stage."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.supervised.settings import Settings
from sdrun.objectives.classification import CrossEntropy


def run(settings: Settings, experiment: Experiment) -> Stage:
    objective = CrossEntropy(experiment.student(0), settings.view, settings.label_smoothing)
    return experiment.fit("supervised", objective, experiment.stream(0, {settings.view: 1}))
