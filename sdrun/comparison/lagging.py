"""Whether the average of a student's weights, which is what some methods judge, is far from the student itself."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sdrun.comparison.runs import Run
from sdrun.comparison.tables import number
from sdrun.judges.metric import PERCENT, Metric

STUDENT = "student"
MOMENTUM = "method.momentum"
POINT = 0.01
"""Of a share; apart by more is far."""

PART = 0.05
"""Of the value of any other metric."""


@dataclass(frozen=True)
class Lag:
    """Means of ``metric`` over the seeds that have both: of the average, which is ``judged``, and of the student."""

    metric: Metric
    judged: float
    student: float
    is_momentum_set: bool

    @property
    def is_far(self) -> bool:
        apart = abs(self.student - self.judged)
        return apart > (POINT if self.metric.unit == PERCENT else PART * abs(self.judged))

    def __str__(self) -> str:
        judged, student = (number(self.metric, value) for value in (self.judged, self.student))
        apart = number(self.metric, self.student - self.judged, signed=True)
        is_behind = self.metric.is_better(self.student - self.judged) is not False
        hint = f": see {MOMENTUM}" if is_behind and self.is_momentum_set else ""
        return (
            f"what is judged is the average of the student's weights, {judged}; "
            f"the student itself has {student} ({apart}){hint}"
        )


def lag(runs: Mapping[int, Run], key: str, metric: Metric) -> Lag | None:
    """How far the two are apart; None of runs whose student is what is judged.

    ``key``: such as ``test/accuracy``, or ``STAGE:test/accuracy``; the student's is ``test/student/accuracy``.
    """
    own = key_of_student(key)
    both = [(run.metric(key), run.metric(own)) for run in runs.values()]
    pairs = [(judged, student) for judged, student in both if judged is not None and student is not None]
    if not pairs:
        return None
    judged, student = (float(value) for value in np.mean(pairs, axis=0))
    return Lag(metric, judged, student, any(run.settings.get(MOMENTUM) is not None for run in runs.values()))


def key_of_student(key: str) -> str:
    """Where the student's own value of a metric stands.

    >>> key_of_student("ensemble:test/accuracy")
    'ensemble:test/student/accuracy'
    """
    stage, colon, name = key.rpartition(":")
    part, slash, rest = name.partition("/")
    return f"{stage}{colon}{part}{slash}{STUDENT}/{rest}"
