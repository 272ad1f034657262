"""Born-again networks: a line of generations, each taught by those before it."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.born_again.distances import distance
from sdrun.methods.born_again.settings import BornAgainSettings, Whom
from sdrun.objectives.taught import Taught


def run(settings: BornAgainSettings, experiment: Experiment) -> Stage:
    line = [experiment.fit("generation_0", Taught(experiment.student(0), experiment.answers), experiment.stream(0))]
    for generation in range(1, settings.generations):
        objective = Taught(
            experiment.student(generation),
            experiment.answers,
            experiment.teacher(line if settings.teacher is Whom.ensemble else line[-1:]),
            alpha=settings.alpha,
            distance=distance(settings, experiment.answers),
        )
        line.append(experiment.fit(f"generation_{generation}", objective, experiment.stream(generation)))
    if len(line) > 1:
        experiment.evaluate("ensemble", experiment.teacher(line).answer)
    return line[-1]
