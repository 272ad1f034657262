"""Distillation losses against torch's own KL, hand-computed cases and finite differences."""

import math

import pytest
import torch
from torch.nn import functional as F

from sdrun.losses.distillation import cwtm, dkd_each, hard, kd, kd_each, permute_wrong, top_two


def logits(seed, batch=5, classes=7):
    return torch.randn(batch, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_kd_is_the_mean_over_samples_of_the_summed_divergence_times_t_squared(temperature):
    student, teacher = logits(0), logits(1)
    p, q = (teacher / temperature).softmax(1), (student / temperature).softmax(1)
    by_hand = sum(float(p[b, k] * (p[b, k] / q[b, k]).log()) for b in range(5) for k in range(7)) / 5
    assert kd(student, teacher, temperature).item() == pytest.approx(temperature**2 * by_hand, rel=1e-12)
    module = torch.nn.KLDivLoss(reduction="batchmean")
    assert kd(student, teacher, temperature).item() == pytest.approx(
        temperature**2 * module(q.log(), p).item(), rel=1e-12
    )


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_kd_gradient_is_the_difference_of_probabilities_times_t(temperature):
    student, teacher = logits(0).requires_grad_(), logits(1)
    kd(student, teacher, temperature).backward()
    expected = temperature * ((student / temperature).softmax(1) - (teacher / temperature).softmax(1)) / 5
    torch.testing.assert_close(student.grad, expected.detach(), rtol=1e-10, atol=1e-12)


def test_gradients_agree_with_finite_differences():
    student, teacher, label = logits(0).requires_grad_(), logits(1), torch.tensor([0, 1, 2, 3, 4])
    assert torch.autograd.gradcheck(lambda z: kd(z, teacher, 2.0), student)
    assert torch.autograd.gradcheck(lambda z: cwtm(z, teacher, label, 2.0), student)


def test_no_gradient_reaches_the_teacher():
    student, teacher = logits(0).requires_grad_(), logits(1).requires_grad_()
    label = torch.zeros(5, dtype=torch.long)
    (kd(student, teacher, 2.0) + cwtm(student, teacher, label)).backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_kd_is_zero_for_equal_logits_and_survives_extreme_ones():
    assert kd(logits(0), logits(0), 3.0).item() == pytest.approx(0, abs=1e-15)
    extreme = torch.tensor([[1e4, -1e4, 0.0]])
    assert torch.isfinite(kd(-extreme, extreme))


def test_cwtm_by_hand():
    teacher = torch.tensor([[0.8, 0.2], [0.5, 0.5]]).log()  # weights 0.8 and 0.5
    student = torch.tensor([[0.25, 0.75], [0.9, 0.1]]).log()
    label = torch.tensor([0, 0])
    expected = (0.8 * -torch.tensor(0.25).log() + 0.5 * -torch.tensor(0.9).log()) / 1.3
    assert cwtm(student, teacher, label).item() == pytest.approx(expected.item(), rel=1e-6)


def test_cwtm_with_equally_sure_teacher_is_cross_entropy():
    student, label = logits(0), torch.tensor([0, 1, 2, 3, 4])
    assert cwtm(student, torch.zeros(5, 7), label).item() == pytest.approx(F.cross_entropy(student, label).item())


def test_permute_wrong_by_hand():
    teacher = torch.tensor([[10.0, 1.0, 2.0, 3.0], [1.0, 2.0, 9.0, 3.0]])
    # Row 0: the wrong classes 1, 2, 3 in the order of their draws are 3, 1, 2. Row 1: 0, 1, 3 become 1, 3, 0.
    draws = torch.tensor([[0.9, 0.5, 0.7, 0.1], [0.8, 0.2, 0.0, 0.4]])
    expected = torch.tensor([[10.0, 3.0, 1.0, 2.0], [2.0, 3.0, 9.0, 1.0]])
    assert torch.equal(permute_wrong(teacher, draws), expected)


def test_permute_wrong_keeps_the_top_class_and_the_values_and_reaches_every_order():
    teacher = logits(3, batch=6000, classes=4)
    draws = torch.rand(6000, 4, generator=torch.Generator().manual_seed(4))
    permuted = permute_wrong(teacher, draws)
    assert torch.equal(permuted.argmax(1), teacher.argmax(1))
    assert torch.equal(permuted.sort(1).values, teacher.sort(1).values)
    same = permute_wrong(torch.tensor([[9.0, 1.0, 2.0, 3.0]]).repeat(6000, 1), draws)
    orders, counts = same.unique(dim=0, return_counts=True)
    assert len(orders) == 6
    assert counts.min() > 900  # 1000 expected


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 4.0, 100.0])
@pytest.mark.parametrize(("make", "num"), [(hard, 1), (top_two, 2)])
def test_the_most_likely_labels_alone_at_any_temperature(make, num, temperature):
    student, teacher = logits(0).requires_grad_(), logits(1)
    targets = torch.zeros(5, 7, dtype=torch.float64)
    for row, values in enumerate(teacher.tolist()):
        for label in sorted(range(7), key=lambda k: -values[k])[:num]:
            targets[row, label] = 1 / num
    assert torch.equal((make(teacher) / temperature).softmax(1), targets)
    loss = kd(student, make(teacher), temperature)
    independent = temperature**2 * F.cross_entropy(student / temperature, targets)
    entropy = temperature**2 * math.log(num)
    assert loss.item() == pytest.approx(independent.item() - entropy, rel=1e-9)
    mine, other = (torch.autograd.grad(value, student)[0] for value in (loss, independent))
    torch.testing.assert_close(mine, other)


def test_the_two_most_likely_of_two_classes_say_nothing():
    teacher = torch.tensor([[3.0, -1.0], [0.0, 0.0]])
    assert torch.equal(top_two(teacher).softmax(1), torch.full((2, 2), 0.5))
    assert torch.equal(hard(teacher).softmax(1), torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    assert hard(teacher).dtype == torch.float32


def decoupled_by_hand(student, teacher, target, alpha, beta, temperature):
    """Of one sample, class by class as the paper defines it (2203.08679, equations 5 to 7)."""
    p, q = ((z / temperature).softmax(0).tolist() for z in (teacher, student))
    others = [k for k in range(len(p)) if k != target]
    of_target = p[target] * math.log(p[target] / q[target])
    of_target += (1 - p[target]) * math.log((1 - p[target]) / (1 - q[target]))
    rests = 1 - p[target], 1 - q[target]
    of_others = sum(p[k] / rests[0] * math.log((p[k] / rests[0]) / (q[k] / rests[1])) for k in others)
    return temperature**2 * (alpha * of_target + beta * of_others)


@pytest.mark.parametrize(("alpha", "beta", "temperature"), [(1.0, 8.0, 4.0), (0.0, 1.0, 1.0), (2.0, 0.0, 0.5)])
def test_decoupled_distillation_is_the_papers(alpha, beta, temperature):
    student, teacher, target = logits(0), logits(1), torch.tensor([0, 6, 2, 3, 3])
    each = dkd_each(student, teacher, target, alpha, beta, temperature)
    by_hand = [
        decoupled_by_hand(student[b], teacher[b], int(target[b]), alpha, beta, temperature) for b in range(len(target))
    ]
    assert each.tolist() == pytest.approx(by_hand, rel=1e-10)


def test_distillation_is_decoupled_into_its_two_parts():
    student, teacher, target = logits(0), logits(1), torch.tensor([0, 6, 2, 3, 3])
    rest = 1 - (teacher / 2).softmax(1).gather(1, target[:, None]).squeeze(1)
    parts = [dkd_each(student, teacher, target, *weights, 2.0) for weights in ((1.0, 0.0), (0.0, 1.0))]
    torch.testing.assert_close(parts[0] + rest * parts[1], kd_each(student, teacher, 2.0))
    z = student.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: dkd_each(z, teacher, target, 1.0, 8.0, 4.0), z)


def test_decoupled_distillation_is_finite_where_a_teacher_is_sure():
    teacher = torch.tensor([[400.0, 0.0, 0.0]])
    z = torch.zeros(1, 3, requires_grad=True)
    (loss,) = dkd_each(z, teacher, torch.tensor([0]), 1.0, 8.0, 1.0)
    loss.backward()
    assert loss.isfinite()
    assert z.grad.isfinite().all()
