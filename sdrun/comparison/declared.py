"""What the metrics of several runs mean together, and of runs from before metrics were declared."""

from collections.abc import Iterable
from dataclasses import replace

from sdrun.judges.metric import (
    CLASSIFICATION,
    EARLY_EXIT,
    PSEUDO_LABELS,
    REPRESENTATION,
    TRAINING,
    Declared,
    Metric,
    by_name,
)

_BESIDE = (*REPRESENTATION, *PSEUDO_LABELS, *EARLY_EXIT, *TRAINING)
EARLIER = by_name([*CLASSIFICATION, *(replace(metric, shown=False) for metric in _BESIDE)])
"""Of runs whose ``summary.json`` declares nothing."""


def together(declarations: Iterable[Declared]) -> dict[str, Metric]:
    """All that is declared, the first one's first; of a name that several declare, what the first one says."""
    metrics: dict[str, Metric] = {}
    for declared in declarations:
        metrics |= {name: metric for name, metric in declared.items() if name not in metrics}
    return metrics or EARLIER
