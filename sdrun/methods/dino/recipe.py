"""DINO: one stage without labels, evaluated with them beside two controls."""

from torch import Tensor

from sdrun.experiment import Experiment, Stage
from sdrun.judges.representation import Representation
from sdrun.methods.dino.head import PrototypeHead
from sdrun.methods.dino.objective import DINO
from sdrun.methods.dino.settings import DINOSettings
from sdrun.models.backbone import Backbone, Features, Network


def run(settings: DINOSettings, experiment: Experiment) -> Stage:
    judge = Representation(experiment.data)
    experiment.evaluate("raw_pixels", _pixels, judge)
    experiment.evaluate("initial" if experiment.initial else "untrained", experiment.student(0).backbone, judge)

    sizes = settings.sizes(experiment.num_train)
    views = {"global": settings.global_crops, "local": settings.local_crops}
    stream = experiment.unlabelled(0, {role: num for role, num in views.items() if num})

    def prototypes(backbone: Backbone) -> Network:
        head = PrototypeHead(backbone.num_features, settings.hidden_dim, settings.bottleneck_dim, sizes.out_dim)
        return Network(backbone, head)

    num_steps = experiment.num_steps(stream)
    num_frozen = min(round(settings.freeze_prototypes * stream.steps_per_epoch), num_steps // 10)
    student, mean = experiment.student(0, prototypes), experiment.hardware.mean
    objective = DINO(student, settings, sizes, num_steps, num_frozen, mean)
    return experiment.fit("dino", objective, stream, judge)


def _pixels(images: Tensor) -> Features:
    return Features(images.flatten(1), {})
