"""Mean teacher: one stage, in which the teacher follows the student."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.mean_teacher.objective import MeanTeacher
from sdrun.methods.mean_teacher.settings import MeanTeacherSettings
from sdrun.streams.shuffled import Beside


def run(settings: MeanTeacherSettings, experiment: Experiment) -> Stage:
    views = {settings.view: 2}
    unlabelled = experiment.unlabelled(0, views, settings.unlabelled_ratio)
    stream = Beside(experiment.stream(0, views), {"unlabelled": unlabelled})
    objective = MeanTeacher(experiment.student(0), experiment.answers, settings, experiment.num_steps(stream))
    return experiment.fit("mean_teacher", objective, stream)
