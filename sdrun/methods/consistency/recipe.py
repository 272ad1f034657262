"""Augmentation consistency: one stage, judged with its pseudo-labels."""

from collections import Counter

from sdrun.experiment import Experiment, Stage
from sdrun.methods.consistency import masks
from sdrun.methods.consistency.objective import Consistency
from sdrun.methods.consistency.pseudo_labels import PseudoLabels
from sdrun.methods.consistency.settings import ConsistencySettings
from sdrun.streams.shuffled import Beside


def run(settings: ConsistencySettings, experiment: Experiment) -> Stage:
    views = Counter([settings.teacher_view, settings.student_view])
    unlabelled = experiment.unlabelled(0, views, settings.unlabelled_ratio)
    stream = Beside(experiment.stream(0, {settings.view: 1}), {"unlabelled": unlabelled})
    hardware, num_classes = experiment.hardware, experiment.num_classes
    mask = masks.build(settings, experiment.num_train, num_classes, hardware.mean, hardware.gather).to(hardware.device)
    num_steps = experiment.num_steps(stream)
    student, answers = experiment.student(0), experiment.answers
    objective = Consistency(student, answers, mask, settings, num_classes, num_steps, hardware.mean)
    judge = PseudoLabels(experiment.data, objective.teaching, objective.mask)
    return experiment.fit("consistency", objective, stream, judge)
