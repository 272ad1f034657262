"""Supervised training: one stage."""

from sdrun.averaged import averaged
from sdrun.experiment import Experiment, Stage
from sdrun.methods.supervised.settings import SupervisedSettings
from sdrun.objectives.taught import Taught


def run(settings: SupervisedSettings, experiment: Experiment) -> Stage:
    student, answers = experiment.student(0), experiment.answers
    objective = Taught(student, answers, role=settings.view, smoothing=settings.label_smoothing)
    stream = experiment.stream(0, {settings.view: 1})
    counted = averaged(objective, settings.average, experiment.num_steps(stream))
    return experiment.fit("supervised", counted, stream)
