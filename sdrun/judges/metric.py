"""What metrics mean: which way is better, in which unit, by which title. Imports no torch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

PERCENT = "%"


class Better(Enum):
    """Which way a metric is better."""

    higher = "higher"
    lower = "lower"
    neither = "neither"


@dataclass(frozen=True)
class Metric:
    """``unit``: ``%`` of a share, which is shown times 100, or a word such as ``ms``; ``shown``: in overviews.

    A title that ends in ``*`` is that of what another metric becomes by a temperature fitted on validation.
    """

    name: str
    better: Better = Better.neither
    unit: str = ""
    title: str = ""
    shown: bool = False

    def formatted(self, value: float) -> str:
        """A share as ``84.20 %``, another number with four decimals."""
        return f"{100 * value:.2f} %" if self.unit == PERCENT else f"{value:.4f}"

    def is_better(self, difference: float) -> bool | None:
        """Whether a change is for the better; None where the metric has no such side."""
        return {Better.higher: difference > 0, Better.lower: difference < 0, Better.neither: None}[self.better]


Declared = Mapping[str, Metric]
"""By name, the most important one first."""


def lookup(key: str, declared: Declared) -> Metric:
    """What a key such as ``test/exit_2/accuracy`` means, by the last of its parts that is declared.

    >>> lookup("unlabelled/mask/shirt", by_name(PSEUDO_LABELS)).unit
    '%'
    """
    parts = key.rpartition(":")[2].split("/")
    return next((declared[part] for part in reversed(parts) if part in declared), Metric(key))


def shown(declared: Declared) -> list[Metric]:
    """Those that overviews show."""
    return [metric for metric in declared.values() if metric.shown]


def fewest(declared: Declared) -> list[Metric]:
    """The same where there is little room: without those that are shown with a fitted temperature as well."""
    titles = {metric.title for metric in shown(declared)}
    return [metric for metric in shown(declared) if f"{metric.title}*" not in titles]


def by_name(metrics: Iterable[Metric]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


def to_json(metrics: Iterable[Metric]) -> dict[str, dict[str, Any]]:
    """What ``summary.json`` holds as ``declared``."""
    return {
        metric.name: {"better": metric.better.value, "unit": metric.unit, "title": metric.title, "shown": metric.shown}
        for metric in metrics
    }


def from_json(document: Mapping[str, Mapping[str, Any]]) -> dict[str, Metric]:
    """What ``to_json`` gave. Raises ValueError, which names the metric, where one lacks something."""
    return {name: _from_json(name, values) for name, values in document.items()}


def _from_json(name: str, values: Mapping[str, Any]) -> Metric:
    try:
        return Metric(name, Better(values["better"]), values["unit"], values["title"], values["shown"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name} without better (higher, lower, neither), unit, title and shown") from error


# What judges say ----------------------------------------------------------------------------------------------------


def _share(name: str, better: Better = Better.higher, title: str = "", shown: bool = False) -> Metric:
    return Metric(name, better, PERCENT, title or name, shown)


def _lower(name: str, title: str = "", shown: bool = False, unit: str = "") -> Metric:
    return Metric(name, Better.lower, unit, title or name, shown)


def _neither(name: str) -> Metric:
    return Metric(name, title=name)


CLASSIFICATION = (
    _share("accuracy", title="accuracy", shown=True),
    _share("balanced_accuracy", title="balanced accuracy"),
    _lower("nll", "NLL", shown=True),
    _lower("nll_calibrated", "NLL*", shown=True),
    _lower("ece", "ECE", shown=True),
    _lower("ece_calibrated", "ECE*", shown=True),
    _lower("brier", "Brier"),
    _lower("brier_calibrated", "Brier*"),
    _lower("adaptive_ece", "adaptive ECE"),
    _lower("adaptive_ece_calibrated", "adaptive ECE*"),
    _lower("aurc", "AURC"),
    _lower("aurc_calibrated", "AURC*"),
    _lower("crowd_kl", "KL to the crowd"),
    _lower("crowd_kl_calibrated", "KL to the crowd*"),
    _neither("temperature"),
    _share("agreement", Better.neither),
    _share("given_label_accuracy", title="as labelled"),
    _share("true_label_accuracy", title="as is true"),
)
UNEVEN_CLASSES = tuple(replace(m, shown=m.shown or m.name == "balanced_accuracy") for m in CLASSIFICATION)
REPRESENTATION = (
    _share("knn_accuracy", title="k-NN", shown=True),
    *(_share(f"knn_{neighbours}_accuracy", title=f"{neighbours}-NN") for neighbours in (10, 100, 200)),
    _neither("rankme"),
)
PSEUDO_LABELS = (_share("pseudo_label_accuracy", title="pseudo-labels"), _share("mask", Better.neither))
EARLY_EXIT = (
    _lower("multiply_adds_share", "compute", unit=PERCENT, shown=True),
    _lower("multiply_adds", "multiply-adds"),
    _share("share", Better.neither),
    _neither("parameters"),
    *(_lower(f"{word}milliseconds_batch_{size}", unit="ms") for word in ("", "full_") for size in (1, 64)),
)
TRAINING = (_lower("loss"), _neither("lr"), _neither("samples_per_second"))
