"""How well tasks are known after others: a network's accuracies ``after`` each task (rows) on each (columns) [t, T].

Imports no torch.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax

Rows = Sequence[Sequence[float]]


def average(accuracies: Sequence[float]) -> float:
    """The mean over the tasks so far (ACC of 1706.08840)."""
    return float(np.mean(accuracies))


def forgetting(after: Rows) -> float:
    """The mean over earlier tasks of the best accuracy that ever was before the last task, less what it is now.

    Chaudhry et al. 2018 (1801.10112).
    """
    rows, earlier = np.asarray(after), len(after) - 1
    return float((rows[:-1, :earlier].max(axis=0) - rows[-1, :earlier]).mean())


def backward(after: Rows) -> float:
    """The mean over earlier tasks of the accuracy now, less what it was when the task had been learned (1706.08840)."""
    rows, earlier = np.asarray(after), len(after) - 1
    return float((rows[-1, :earlier] - rows[:, :earlier].diagonal()).mean())


def forward(start: Sequence[float], after: Rows) -> float:
    """The mean over tasks but the first of the accuracy before each was learned, less that of the untrained network.

    Lopez-Paz & Ranzato 2017 (1706.08840). start: accuracies [T] before the first task.
    """
    later = range(1, len(after))
    return float(np.mean([after[number - 1][number] - start[number] for number in later]))


def divergence(before: np.ndarray, now: np.ndarray) -> float:
    """``KL(before || now)``, the mean over items in nats. Both: logits [N, K]."""
    log_before, log_now = (log_softmax(logits.astype(np.float64), axis=1) for logits in (before, now))
    return float((np.exp(log_before) * (log_before - log_now)).sum(axis=1).mean())
