"""Two generations in three lines."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.toy.settings import ToySettings
from sdrun.objectives.taught import Taught


def run(settings: ToySettings, experiment: Experiment) -> Stage:
    first = experiment.fit("first", Taught(experiment.student(0), experiment.answers), experiment.stream(0))
    second = Taught(experiment.student(1), experiment.answers, experiment.teacher([first]), alpha=settings.alpha)
    return experiment.fit("second", second, experiment.stream(1))
