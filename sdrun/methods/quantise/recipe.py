"""Quantisation: the network as it is, rounded, trained by the labels, and by what it said before."""

import torch
from torch import nn

from sdrun.errors import require
from sdrun.experiment import Experiment, Stage
from sdrun.judges.compression import Compression
from sdrun.methods.quantise.objective import Likeness
from sdrun.methods.quantise.rounding import RoundedInputs, packed_bytes, quantised
from sdrun.methods.quantise.settings import QuantiseSettings, Targets
from sdrun.objectives.objective import Objective
from sdrun.objectives.taught import Taught
from sdrun.streams.batch import Stream
from sdrun.teachers.frozen import Frozen
from sdrun.teachers.guest import Translated

KEY = "teacher_from"
NUM_SEEN = 1000
"""Training items by which the ranges of activations are found."""


def run(settings: QuantiseSettings, experiment: Experiment) -> Stage:
    data, teacher = experiment.data, experiment.teacher(experiment.guests, settings.view)
    for guest in experiment.guests:
        _require_same(experiment, guest)
    experiment.evaluate("teacher", teacher.network, Compression(data, "teacher", None, {}), "full precision")
    judge = Compression(data, "rounded", teacher.answer, {}, stored=packed_bytes)
    experiment.evaluate("rounded", _student(settings, experiment), judge)
    for name in settings.stages:
        is_taught = name == settings.stages[-1] and settings.targets is Targets.teacher
        student = _student(settings, experiment)
        objective, stream = (_by_teacher if is_taught else _by_labels)(settings, experiment, student, teacher)
        judge = Compression(data, name, teacher.answer, {}, stored=packed_bytes)
        stage = experiment.fit(name, objective, stream, judge)
    return stage


def _by_teacher(
    settings: QuantiseSettings, experiment: Experiment, student: nn.Module, teacher: Frozen
) -> tuple[Objective, Stream]:
    return Likeness(student, experiment.answers, teacher), experiment.unlabelled(0, {settings.view: 1})


def _by_labels(
    settings: QuantiseSettings, experiment: Experiment, student: nn.Module, teacher: Frozen
) -> tuple[Objective, Stream]:
    return Taught(student, experiment.answers, role=settings.view), experiment.stream(0, {settings.view: 1})


def _student(settings: QuantiseSettings, experiment: Experiment) -> nn.Module:
    """The network of the other run, rounded; where that is not at hand, one of its shape."""
    student: nn.Module = experiment.student(0)
    for guest in experiment.guests:
        assert isinstance(guest.network, Translated)
        _load(student, guest.network.network, guest.run or KEY)
    student = quantised(student, settings.bits, settings.ends, settings.activation_bits)
    _find_ranges(student, experiment)
    return student


def _load(student: nn.Module, source: nn.Module, run: str) -> None:
    """Give the student the weights of another network. Raises InputError, which names the first that does not fit."""
    own, others = student.state_dict(), source.state_dict()
    for key in dict.fromkeys([*own, *others]):
        shapes = [str(list(state[key].shape)) if key in state else "nothing" for state in (own, others)]
        told = f"{run} is of another model: {key} is {shapes[1]} there and {shapes[0]} here; choose the same by model="
        require(shapes[0] == shapes[1], KEY, told)
    student.load_state_dict(others)


@torch.no_grad()
def _find_ranges(student: nn.Module, experiment: Experiment) -> None:
    ranges = [part for part in student.modules() if isinstance(part, RoundedInputs)]
    if not (ranges and experiment.guests):
        return
    student.eval()
    for part in ranges:
        part.training = True
    student(experiment.data.first("train", NUM_SEEN))


@torch.no_grad()
def _require_same(experiment: Experiment, guest: Stage) -> None:
    """Raise InputError where the run sees items otherwise than the one whose network it takes."""
    assert isinstance(guest.network, Translated)
    items = experiment.data.first("train", 10)
    heard = guest.network.heard(guest.network.told(items))
    is_same = heard.shape == items.shape and torch.allclose(heard, items, atol=1e-4)
    way = "sees items of another size, mean or spread than this run; set these as it has them"
    require(is_same, KEY, f"{guest.run} {way}")
