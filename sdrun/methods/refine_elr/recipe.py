"""Early-learning regularisation: one stage."""

from sdrun.averaged import averaged
from sdrun.experiment import Experiment, Stage
from sdrun.methods.refine_elr.objective import EarlyLearning
from sdrun.methods.refine_elr.settings import RefineELRSettings


def run(settings: RefineELRSettings, experiment: Experiment) -> Stage:
    stream = experiment.stream(0, {settings.view: 1})
    student, gather = experiment.student(0), experiment.hardware.gather
    num_items = len(experiment.truth)
    objective = EarlyLearning(student, experiment.answers, settings, num_items, experiment.num_classes, gather)
    counted = averaged(objective, settings.average, experiment.num_steps(stream))
    return experiment.fit("refine_elr", counted, stream)
