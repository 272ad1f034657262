"""Co-teaching: one stage, in which two networks learn."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.refine_coteaching.objective import Coteaching
from sdrun.methods.refine_coteaching.settings import RefineCoteachingSettings


def run(settings: RefineCoteachingSettings, experiment: Experiment) -> Stage:
    stream = experiment.stream(0, {settings.view: 1})
    students = [experiment.student(number) for number in (0, 1)]
    objective = Coteaching(
        students, experiment.answers, settings, experiment.num_steps(stream), experiment.hardware.gather
    )
    return experiment.fit("refine_coteaching", objective, stream)
