"""Mean teacher: one stage, in which the teacher follows the student."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.mean_teacher.objective import MeanTeacher
from sdrun.methods.mean_teacher.settings import Settings


def run(settings: Settings, experiment: Experiment) -> Stage:
    views = {settings.view: 2}
    stream = experiment.paired(0, views, views, settings.unlabelled_ratio)
    objective = MeanTeacher(experiment.student(0), settings, experiment.num_steps(stream))
    return experiment.fit("mean_teacher", objective, stream)
