"""Augmentation consistency: one stage, judged with its pseudo-labels."""

from collections import Counter

from sdrun.evaluation.pseudo_labels import PseudoLabels
from sdrun.experiment import Experiment, Stage
from sdrun.methods.consistency import masks
from sdrun.methods.consistency.objective import Consistency
from sdrun.methods.consistency.settings import Settings


def run(settings: Settings, experiment: Experiment) -> Stage:
    views = Counter([settings.teacher_view, settings.student_view])
    stream = experiment.paired(0, {settings.view: 1}, views, settings.unlabelled_ratio)
    hardware, data = experiment.hardware, experiment.data
    num_images, num_classes = len(data.labels["train"]), len(data.splits.classes)
    mask = masks.build(settings, num_images, num_classes, hardware.mean, hardware.gather).to(hardware.device)
    num_steps = experiment.num_steps(stream)
    objective = Consistency(experiment.student(0), mask, settings, num_classes, num_steps, hardware.mean)
    judged = PseudoLabels(data, experiment.classification, objective.teaching, objective.mask)
    return experiment.fit("consistency", objective, stream, judged)
