"""The EMA teacher follows exactly, and cannot be trained."""

import pickle
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sdrun.schedules import ema_momentum
from sdrun.settings import MomentumSchedule
from sdrun.teachers.ema import EMA


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * 36, 4))


def train(student, teacher, steps, momentum=0.9, others=()):
    optimizer = torch.optim.SGD(student.parameters(), 0.1)
    for _ in range(steps):
        student(torch.randn(8, 1, 8, 8)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        teacher.follow(student, momentum)
        for other in others:
            other.update_parameters(student)


def test_it_equals_the_plain_loop_and_buffers_are_averaged_or_copied():
    student = network()
    teacher = EMA(student)
    expected = {name: value.clone() for name, value in student.state_dict().items()}
    optimizer = torch.optim.SGD(student.parameters(), 0.1)
    for _ in range(5):
        student(torch.randn(8, 1, 8, 8)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        teacher.follow(student, 0.8)
        for name, value in student.state_dict().items():
            mean = 0.8 * expected[name] + 0.2 * value if value.is_floating_point() else value
            expected[name] = mean.clone()
    for name, value in teacher.network.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    assert teacher.network.state_dict()["1.num_batches_tracked"] == 5


def test_it_equals_torchs_averaged_model():
    student = network()
    teacher = EMA(student)
    reference = AveragedModel(student, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    reference.update_parameters(student)  # the first update copies
    train(student, teacher, 4, others=[reference])
    for ours, theirs in zip(teacher.network.parameters(), reference.module.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(teacher.network[1].running_var, reference.module[1].running_var)


@pytest.mark.parametrize("copied", [lambda module: module, deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_it_stays_in_eval_mode_without_gradients_also_as_a_copy_or_a_pickle(copied):
    student = network()
    teacher = copied(EMA(student))
    parent = nn.ModuleList([student, teacher]).train()
    assert student.training
    assert not any(part.training for part in teacher.network.modules())
    assert not teacher(torch.randn(2, 1, 8, 8)).requires_grad
    assert [p for p in parent.parameters() if p.requires_grad] == list(student.parameters())
    before = deepcopy(teacher.network.state_dict())
    teacher(torch.randn(2, 1, 8, 8))
    assert all(torch.equal(value, before[name]) for name, value in teacher.network.state_dict().items())


@pytest.mark.parametrize("part", ["weight", "running_mean"])
def test_shared_storage_is_refused(part):
    student = network()
    teacher = EMA(student)
    setattr(teacher.network[1], part, getattr(student[1], part))
    with pytest.raises(RuntimeError, match="shares storage"):
        teacher.follow(student, 0.9)


def test_it_is_saved_and_restored_exactly():
    student = network()
    objective = nn.ModuleDict({"student": student, "teacher": EMA(student)})
    train(student, objective["teacher"], 3)
    fresh = network()
    again = nn.ModuleDict({"student": fresh, "teacher": EMA(fresh)})
    again.load_state_dict(objective.state_dict())
    for ours, theirs in zip(again.state_dict().values(), objective.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    again["teacher"].follow(fresh, 0.5)  # still no storage in common


def test_momentum_schedules():
    constant, cosine, bias_free = MomentumSchedule.constant, MomentumSchedule.cosine, MomentumSchedule.bias_free
    assert [ema_momentum(constant, 0.9, step, 10) for step in (1, 10)] == [0.9, 0.9]
    assert ema_momentum(cosine, 0.9, 0, 10) == pytest.approx(0.9)
    assert ema_momentum(cosine, 0.9, 5, 10) == pytest.approx(0.95)
    assert ema_momentum(cosine, 0.9, 10, 10) == 1.0
    assert [ema_momentum(bias_free, 0.9, step, 99) for step in (1, 3, 9, 50)] == pytest.approx([0.5, 0.75, 0.9, 0.9])


def test_an_average_by_the_length_of_training_spans_a_twentieth_of_it_at_most():
    def by_length(step, total, momentum=0.999):
        return ema_momentum(MomentumSchedule.by_length, momentum, step, total)

    assert by_length(150, 150) == pytest.approx(1 - 20 / 150)
    assert [by_length(step, 150) for step in (1, 3, 6)] == pytest.approx([0.5, 0.75, 1 - 1 / 7])  # the plain mean
    assert by_length(1000, 2**20) == by_length(2**20, 2**20) == 0.999  # a paper's length, a paper's momentum
    assert [by_length(step, total) for step, total in ((1, 20), (7, 10), (1, 1))] == [0.0, 0.0, 0.0]
    assert by_length(99, 100, momentum=0.5) == 0.5


def test_a_bias_free_start_is_the_plain_mean():
    student = nn.Linear(1, 1, bias=False)
    teacher = EMA(student)
    seen = [student.weight.item()]
    for step in range(1, 6):
        nn.init.constant_(student.weight, float(step))
        seen.append(float(step))
        teacher.follow(student, ema_momentum(MomentumSchedule.bias_free, 0.99, step, 100))
        assert teacher.network.weight.item() == pytest.approx(sum(seen) / len(seen))
