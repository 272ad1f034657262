"""Learning rates as pure functions of the step. Imports no torch."""

import math

from sdrun.settings import Schedule


def lr_factor(schedule: Schedule, warmup: float, step: int, total: int) -> float:
    """The share of the peak learning rate at ``step`` of ``total``; it rises over the share ``warmup`` of the steps.

    ``one_cycle`` equals torch's OneCycleLR without a cycle of momentum (from 1/25 up, then down to 1/250000, both as
    half a cosine); ``cosine`` rises linearly and falls to 0 as half a cosine; ``constant`` rises and stays.
    """
    if schedule is Schedule.one_cycle:
        peak, end = warmup * total - 1, total - 1
        if step <= peak:
            return _anneal(1 / 25, 1.0, step / peak if peak > 0 else 1.0)
        return _anneal(1.0, 1 / 25e4, (step - peak) / (end - peak))
    rise = warmup * total
    if step < rise:
        return min(1.0, (step + 1) / rise)
    if schedule is Schedule.constant:
        return 1.0
    return _anneal(1.0, 0.0, (step - rise) / (total - rise))


def _anneal(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
