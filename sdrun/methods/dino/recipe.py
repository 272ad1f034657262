"""DINO: one stage without labels, evaluated with them beside two controls."""

from torch import Tensor

from sdrun.experiment import Experiment, Stage
from sdrun.methods.dino.objective import DINO
from sdrun.methods.dino.settings import Settings
from sdrun.models.backbone import Backbone, Features, Network
from sdrun.models.heads import PrototypeHead


def run(settings: Settings, experiment: Experiment) -> Stage:
    judged = experiment.representation
    experiment.evaluate("raw_pixels", _pixels, judged)
    experiment.evaluate("initial" if experiment.initial else "untrained", experiment.student(0).backbone, judged)

    views = {"global": settings.global_crops, "local": settings.local_crops}
    stream = experiment.unlabelled(0, {role: num for role, num in views.items() if num})

    def prototypes(backbone: Backbone, num_classes: int) -> Network:
        sizes = settings.hidden_dim, settings.bottleneck_dim, int(settings.out_dim)
        return Network(backbone, PrototypeHead(backbone.num_features, *sizes))

    num_steps = experiment.num_steps(stream)
    num_frozen = min(round(settings.freeze_prototypes * stream.steps_per_epoch), num_steps // 10)
    objective = DINO(experiment.student(0, prototypes), settings, num_steps, num_frozen, experiment.hardware.mean)
    return experiment.fit("dino", objective, stream, judged)


def _pixels(images: Tensor) -> Features:
    return Features(images.flatten(1), {})
