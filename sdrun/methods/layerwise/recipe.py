"""Layer-wise self-distillation: one stage, and the policy by which samples leave early."""

from sdrun.experiment import Experiment, Stage
from sdrun.methods.layerwise.judge import EarlyExits
from sdrun.methods.layerwise.ladder import Ladder
from sdrun.methods.layerwise.objective import Layerwise
from sdrun.methods.layerwise.settings import LayerwiseSettings
from sdrun.models.backbone import Backbone


def run(settings: LayerwiseSettings, experiment: Experiment) -> Stage:
    def ladder(backbone: Backbone) -> Ladder:
        taps = settings.taps(list(backbone.tap_features))
        return Ladder(backbone, taps, experiment.num_classes, settings.num_detached)

    student = experiment.student(0, ladder)
    stage = experiment.fit("layerwise", Layerwise(student, experiment.answers, settings), experiment.stream(0))
    experiment.evaluate("early_exit", student, EarlyExits(experiment.data, settings.exit_policy))
    return stage
