"""DINO's loss against lightly's, against loops, and against what its parts promise."""

import math
import os

import pytest
import torch
from torch.nn import functional as F

from sdrun.errors import InputError
from sdrun.methods.dino.losses import centred, koleo, multi_crop, sinkhorn


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def crops(num, batch=6, out_dim=12, seed=0):
    return torch.rand(num, batch, out_dim, generator=generator(seed)) * 2 - 1


@pytest.mark.parametrize(("num_global", "num_local"), [(2, 6), (2, 0), (1, 3), (3, 2)])
def test_the_pairing_equals_a_double_loop(num_global, num_local):
    targets = crops(num_global).softmax(dim=2)
    student = crops(num_global + num_local, seed=1).log_softmax(dim=2)
    total, pairs = 0.0, 0
    for i in range(num_global):
        for v in range(num_global + num_local):
            if v != i:
                total += -(targets[i] * student[v]).sum(dim=1).mean()
                pairs += 1
    torch.testing.assert_close(multi_crop(targets, student), total / pairs)


def test_loss_and_centre_equal_lightlys_over_steps():
    os.environ["LIGHTLY_DID_VERSION_CHECK"] = "True"  # it would ask a server
    from lightly.loss import DINOLoss

    reference = DINOLoss(output_dim=12, teacher_temp=0.07, warmup_teacher_temp_epochs=0, student_temp=0.1)
    centre = torch.zeros(12)
    for step in range(3):
        teacher, student = crops(2, seed=step), crops(8, seed=10 + step).requires_grad_()
        expected = reference(list(teacher), list(student), epoch=1)
        (wanted,) = torch.autograd.grad(expected, student)
        targets = centred(teacher, centre, 0.07)
        found = multi_crop(targets, (student / 0.1).log_softmax(dim=2))
        (gradient,) = torch.autograd.grad(found, student)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(gradient, wanted)
        centre.lerp_(teacher.mean(dim=(0, 1)), 0.1)
        torch.testing.assert_close(centre, reference.center.flatten())


def test_uniform_targets_and_predictions_lie_at_ln_k():
    uniform = torch.full((2, 5, 7), 1 / 7)
    assert float(multi_crop(uniform, uniform.log())) == pytest.approx(math.log(7))


def test_sinkhorn_shares_prototypes_evenly_and_each_row_is_a_distribution():
    logits = crops(1, batch=64, out_dim=8)[0]
    q = sinkhorn(logits, 0.1, lambda x: x, iterations=100)
    torch.testing.assert_close(q.sum(dim=1), torch.ones(64))
    torch.testing.assert_close(q.mean(dim=0), torch.full((8,), 1 / 8), rtol=1e-3, atol=1e-4)


def test_sinkhorn_equals_the_papers_matrix_form():
    logits = crops(1, batch=10, out_dim=4)[0]
    q = (logits / 0.2).exp().T
    for _ in range(3):
        q = q / q.sum(dim=1, keepdim=True) / 4
        q = q / q.sum(dim=0, keepdim=True) / 10
    torch.testing.assert_close(sinkhorn(logits, 0.2, lambda x: x), (q * 10).T)


def test_sinkhorn_stays_finite_at_the_smallest_temperature():
    close = 0.3 + 0.001 * crops(1, batch=32, out_dim=64)[0]
    close[:, 0] = -0.9  # a prototype that nothing is near
    for logits in (close, crops(1, batch=32, out_dim=64)[0]):
        q = sinkhorn(logits, 0.005, lambda x: x)
        assert torch.isfinite(q).all()
        torch.testing.assert_close(q.sum(dim=1), torch.ones(32))


def test_neighbours_are_found_in_full_precision_under_autocast():
    x = torch.randn(1, 32, generator=generator()) + 0.01 * torch.randn(64, 32, generator=generator(1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = koleo(x)
    torch.testing.assert_close(found, koleo(x))


def test_a_single_feature_has_no_neighbour():
    with pytest.raises(InputError, match="method.koleo: needs two images"):
        koleo(torch.randn(1, 4))


def test_koleo_equals_a_loop_and_pushes_neighbours_apart():
    x = torch.randn(7, 5, generator=generator())
    unit = F.normalize(x, dim=1)
    apart = [min(float((unit[i] - unit[j]).norm()) for j in range(7) if j != i) for i in range(7)]
    assert float(koleo(x)) == pytest.approx(-sum(map(math.log, apart)) / 7, rel=1e-3)
    close = torch.cat([x[:1], x[:1] + 0.01, x[1:]]).requires_grad_()
    before = float((F.normalize(close[0], dim=0) - F.normalize(close[1], dim=0)).norm().detach())
    koleo(close).backward()
    moved = (close - 0.001 * close.grad).detach()
    assert float((F.normalize(moved[0], dim=0) - F.normalize(moved[1], dim=0)).norm()) > before
