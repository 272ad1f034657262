"""Whatever changes over a training, as pure functions of the step. Imports no torch."""

import math

from sdrun.settings import MomentumSchedule, Schedule

SPANS = 20
"""How many times what an average spans, ``1 / (1 - momentum)`` steps, goes at least into a training ``by_length``."""


def lr_factor(schedule: Schedule, warmup: float, step: int, total: int) -> float:
    """The share of the peak learning rate at ``step`` of ``total``; it rises over the share ``warmup`` of the steps.

    ``one_cycle`` equals torch's OneCycleLR without a cycle of momentum (from 1/25 up, then down to 1/250000, both as
    half a cosine); ``cosine`` rises linearly and falls to 0 as half a cosine; ``constant`` rises and stays.
    """
    if schedule is Schedule.one_cycle:
        peak, end = warmup * total - 1, total - 1
        if step <= peak:
            return half_cosine(1 / 25, 1.0, step / peak if peak > 0 else 1.0)
        return half_cosine(1.0, 1 / 25e4, (step - peak) / (end - peak))
    rise = warmup * total
    if step < rise:
        return min(1.0, (step + 1) / rise)
    if schedule is Schedule.constant:
        return 1.0
    return half_cosine(1.0, 0.0, (step - rise) / (total - rise))


def half_cosine(start: float, end: float, share: float) -> float:
    """From ``start`` at share 0 to ``end`` at 1."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def linear(start: float, end: float, share: float) -> float:
    """From ``start`` at share 0 to ``end`` at 1, and ``end`` from there on."""
    return end if share >= 1 else start + (end - start) * share


def sigmoid_rise(share: float) -> float:
    """``exp(-5 (1 - t)^2)``: from nearly 0 at share 0 to 1 at 1, and 1 from there on (1610.02242)."""
    return math.exp(-5 * (1 - min(share, 1.0)) ** 2)


def ramped(weight: float, ramp_up: float, step: int, total: int) -> float:
    """The weight of a term that rises as a sigmoid over the share ``ramp_up`` of ``total`` steps, and then stays."""
    rise = ramp_up * total
    return weight * (sigmoid_rise(step / rise) if rise else 1.0)


def ema_momentum(schedule: MomentumSchedule, momentum: float, step: int, total: int) -> float:
    """The share of an average that stays at the update after ``step`` of ``total`` steps, the first being 1.

    ``constant``; ``cosine`` rises to 1 at the end as half a cosine (2006.07733); ``bias_free`` is constant once the
    plain mean of all steps so far, ``1 - 1 / (step + 1)``, has a larger one (1703.01780's code). ``by_length`` is that
    with a momentum of at most ``1 - SPANS / total``: in a short training the average would lag behind the student.
    """
    if schedule is MomentumSchedule.cosine:
        return half_cosine(momentum, 1.0, step / total)
    if schedule is MomentumSchedule.by_length:
        momentum = min(momentum, max(1 - SPANS / total, 0.0))
    if schedule in (MomentumSchedule.bias_free, MomentumSchedule.by_length):
        return min(1 - 1 / (step + 1), momentum)
    return momentum
