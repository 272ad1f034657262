"""Born-again networks: a line of generations, each taught by those before it."""

from functools import partial

from sdrun.experiment import Experiment, Stage
from sdrun.methods.born_again.distances import distance
from sdrun.methods.born_again.settings import BornAgainSettings, Whom
from sdrun.objectives.taught import Taught


def run(settings: BornAgainSettings, experiment: Experiment) -> Stage:
    views = {settings.view: 1}
    taught = partial(Taught, answers=experiment.answers, role=settings.view, smoothing=settings.label_smoothing)
    line = [experiment.fit("generation_0", taught(experiment.student(0)), experiment.stream(0, views))]
    for generation in range(1, settings.generations):
        objective = taught(
            experiment.student(generation),
            teacher=experiment.teacher(line if settings.teacher is Whom.ensemble else line[-1:], settings.view),
            alpha=settings.alpha,
            distance=distance(settings, experiment.answers),
        )
        line.append(experiment.fit(f"generation_{generation}", objective, experiment.stream(generation, views)))
    if len(line) > 1:
        experiment.evaluate("ensemble", experiment.teacher(line).answer)
    return line[-1]
