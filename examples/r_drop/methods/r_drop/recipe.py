"""R-Drop: one stage on two draws of each image."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.r_drop.objective import RDrop
from sdrun.methods.r_drop.settings import RDropSettings


def run(settings: RDropSettings, experiment: Experiment) -> Stage:
    objective = RDrop(experiment.student(0), experiment.answers, settings)
    return experiment.fit("r_drop", objective, experiment.stream(0, {settings.view: 2}))
