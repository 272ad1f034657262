"""Distillation losses on logits z [B, K]. The teacher's side never receives a gradient."""

import torch
from torch import Tensor
from torch.nn import functional as F

NEVER = -1e5
"""The logit of a class of probability 0: ``exp(NEVER / T)`` is 0 in float64 too, for temperatures up to 100.

It is finite, for ``kl_div`` multiplies the logarithm of such a probability by 0, and an infinite one would give NaN.
"""


def kd(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """``T^2 * mean_batch KL(softmax(teacher / T) || softmax(student / T))``, a scalar.

    Sum over classes, mean over samples, scaled by T^2 so that gradients keep their size: the convention of Hinton et
    al. 2015 (1503.02531). Much published code differs by a constant of up to 1600.
    """
    return kd_each(student, teacher, temperature).mean()


def kd_each(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """``kd`` of each sample: [B]."""
    log_student = F.log_softmax(student / temperature, dim=1)
    log_teacher = F.log_softmax(teacher.detach() / temperature, dim=1)
    return temperature**2 * F.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=1)


def cwtm(student: Tensor, teacher: Tensor, label: Tensor, temperature: float = 1.0) -> Tensor:
    """Confidence weighted by teacher max: ``sum_b w_b CE(student_b, y_b) / sum_b w_b``, a scalar.

    ``w`` is the top probability of ``softmax(teacher / T)`` (1805.04770, section 3.2). Asks whether a teacher helps
    only by weighting the samples. Sums run over the rows given: one rank's part, where there are several ranks.
    """
    weight = (teacher.detach() / temperature).softmax(dim=1).amax(dim=1)
    return (weight * F.cross_entropy(student, label, reduction="none")).sum() / weight.sum()


def permute_wrong(teacher: Tensor, draws: Tensor) -> Tensor:
    """Logits [B, K] with all but each row's largest permuted, by the order of ``draws`` [B, K] in [0, 1).

    The targets of dark knowledge with permuted predictions (1805.04770, section 3.2), which ask whether a teacher
    helps by its view of the wrong classes. ``softmax`` commutes with the permutation, so probabilities do as well.
    """
    top = teacher.argmax(dim=1, keepdim=True)
    source = draws.scatter(1, top, -1.0).argsort(dim=1)[:, 1:]
    natural = torch.zeros_like(draws).scatter(1, top, -1.0).argsort(dim=1, stable=True)[:, 1:]
    return teacher.scatter(1, natural, teacher.gather(1, source))


def hard(teacher: Tensor) -> Tensor:
    """Logits [B, K] of the most likely class alone, at any temperature up to 100. teacher: logits [B, K].

    Hard labels and few rounds carry much of the gain of self-distillation under label noise (2501.16226).
    """
    return _likeliest(teacher, 1)


def top_two(teacher: Tensor) -> Tensor:
    """Logits [B, K] of the two most likely classes at one half each, at any temperature up to 100.

    One round with such targets equals many with soft ones under label noise (2402.10482). teacher: logits [B, K]; of
    two classes nothing is left of it.
    """
    return _likeliest(teacher, 2)


def _likeliest(teacher: Tensor, num: int) -> Tensor:
    return torch.full_like(teacher, NEVER).scatter(1, teacher.topk(num, dim=1).indices, 0.0)


def dkd_each(student: Tensor, teacher: Tensor, target: Tensor, alpha: float, beta: float, temperature: float) -> Tensor:
    """Decoupled distillation of each sample (2203.08679): ``T^2 (alpha TCKD + beta NCKD)``, [B].

    TCKD is the KL of the two probabilities {target, anything else}, NCKD that of the other classes among themselves;
    ``kd_each`` is ``TCKD + (1 - p) NCKD`` with the teacher's probability p of the target. ``target`` [B]: the label,
    or where that is hidden the teacher's most likely class.
    """
    own = F.one_hot(target, student.shape[1]).bool()
    log_student, log_teacher = (F.log_softmax(z / temperature, dim=1) for z in (student, teacher.detach()))

    def divided(log_p: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of {target, else} [B, 2], and of the other classes among themselves [B, K]."""
        others = log_p.masked_fill(own, NEVER)
        rest = others.logsumexp(dim=1, keepdim=True)
        return torch.cat([log_p[own].unsqueeze(1), rest], dim=1), others - rest

    of_target, of_others = (
        F.kl_div(s, t, reduction="none", log_target=True).sum(dim=1)
        for s, t in zip(divided(log_student), divided(log_teacher), strict=True)
    )
    return temperature**2 * (alpha * of_target + beta * of_others)
