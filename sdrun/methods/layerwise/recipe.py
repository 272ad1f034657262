"""Layer-wise self-distillation: one stage, and the policy by which samples leave early."""

from sdrun.evaluation.early_exit import EarlyExitEvaluation
from sdrun.experiment import Experiment, Stage
from sdrun.methods.layerwise.objective import Layerwise
from sdrun.methods.layerwise.settings import Settings
from sdrun.models.backbone import Backbone
from sdrun.models.ladder import Ladder


def run(settings: Settings, experiment: Experiment) -> Stage:
    def ladder(backbone: Backbone, num_classes: int) -> Ladder:
        return Ladder(backbone, settings.taps(list(backbone.tap_features)), num_classes, settings.num_detached)

    student = experiment.student(0, ladder)
    stage = experiment.fit("layerwise", Layerwise(student, settings), experiment.stream(0))
    experiment.evaluate("early_exit", student, EarlyExitEvaluation(experiment.data, settings.exit_policy))
    return stage
