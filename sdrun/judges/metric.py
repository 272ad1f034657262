"""What metrics mean: which way is better, in which unit, by which title. Imports no torch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
    ``meaning``: a line for people, which no run keeps.
    """

    name: str
    better: Better = Better.neither
    unit: str = ""
    title: str = ""
    shown: bool = False
    meaning: str = field(default="", compare=False)

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


def _share(name: str, meaning: str, better: Better = Better.higher, title: str = "", shown: bool = False) -> Metric:
    return Metric(name, better, PERCENT, title or name, shown, meaning)


def _lower(name: str, meaning: str, title: str = "", shown: bool = False, unit: str = "") -> Metric:
    return Metric(name, Better.lower, unit, title or name, shown, meaning)


def _neither(name: str, meaning: str) -> Metric:
    return Metric(name, title=name, meaning=meaning)


def _both(name: str, meaning: str, title: str, shown: bool = False) -> tuple[Metric, Metric]:
    """One that a temperature changes, and what it becomes by one that is fitted on validation."""
    return _lower(name, meaning, title, shown), _lower(f"{name}_calibrated", "", f"{title}*", shown)


CLASSIFICATION = (
    _share("accuracy", "share of right predictions", title="accuracy", shown=True),
    _share("balanced_accuracy", "mean over classes of the share that is right", title="balanced accuracy"),
    *_both("nll", "mean negative log-likelihood of the labels, in nats", "NLL", shown=True),
    *_both("ece", "expected calibration error over 15 bins of equal width", "ECE", shown=True),
    *_both("brier", "squared distance of the probabilities from the labels, summed over classes: 0 to 2", "Brier"),
    *_both("adaptive_ece", "expected calibration error over 15 bins of equal number", "adaptive ECE"),
    *_both("aurc", "area under the risk-coverage curve: mean error of the i most confident, over all i", "AURC"),
    *_both("crowd_kl", "divergence from the shares of several people who labelled, in nats", "KL to the crowd"),
    _neither("temperature", "fitted on validation"),
    _share("agreement", "share that is predicted alike in the copy and in the test set", Better.neither),
    _share("given_label_accuracy", "share of training items that is predicted as labelled", title="as labelled"),
    _share("true_label_accuracy", "share of training items that is predicted as is true", title="as is true"),
)
UNEVEN_CLASSES = tuple(replace(m, shown=m.shown or m.name == "balanced_accuracy") for m in CLASSIFICATION)
REPRESENTATION = (
    _share("knn_accuracy", "of 20 neighbours, weighted by exp(cosine / 0.07)", title="k-NN", shown=True),
    *(
        _share(f"knn_{neighbours}_accuracy", f"of {neighbours} neighbours", title=f"{neighbours}-NN")
        for neighbours in (10, 100, 200)
    ),
    _neither("rankme", "effective rank of the features (2210.02885); near 1 they have collapsed"),
)
PSEUDO_LABELS = (
    _share("pseudo_label_accuracy", "share of those that count whose pseudo-label is right", title="pseudo-labels"),
    _share("mask", "share of items that counts", Better.neither),
)
ESTIMATED, IMBALANCE, UNCHANGED = "estimated_accuracy", "imbalance", "unchanged"
STREAM = (
    _share("prequential_accuracy", "share of a period's items that was predicted right before it was learned from"),
    _share(ESTIMATED, "pseudo_label_accuracy as it is estimated without labels (ATC, 2201.04234)"),
    _lower(IMBALANCE, "distance of the classes that are predicted from the labelled ones: total variation, 0 to 1"),
    _share(UNCHANGED, "share of periods whose update was taken back, or that had nothing to learn from", Better.lower),
    *PSEUDO_LABELS,
)
RETENTION = (
    _share("average_accuracy", "mean over the tasks so far of accuracy on each", title="mean of tasks", shown=True),
    _lower(
        "forgetting", "mean over earlier tasks: best accuracy before, less now (1801.10112)", shown=True, unit=PERCENT
    ),
    _share("backward_transfer", "mean over earlier tasks: accuracy now, less when each was learned (1706.08840)"),
    _share(
        "forward_transfer", "mean over later tasks: accuracy before each was learned, less at the start (1706.08840)"
    ),
    _neither("start_kl", "divergence of what a network says of a new task's items from what it said before, in nats"),
    _share("kept", "accuracy on earlier tasks, or where the new one misses ``method.level``, by how much, below 0"),
)
LABELS = (
    _neither("noise_rate", "share of labels that are wrong, as it is believed: some mistakes of models count"),
    _neither("noise_rate_low", "of the middle 95 % of samples of the items, the least"),
    _neither("noise_rate_high", "of the middle 95 % of samples of the items, the most"),
    _neither("noise_floor", "of the quarter that models are surest of, the share that is labelled otherwise"),
    _share("annotator_accuracy", "share of annotators' labels that are right, as it is believed", Better.neither),
    _share("suspects", "share of items whose label is suspect", Better.neither),
    _share("belief_agreement", "share of items of which the likeliest class is the label", Better.neither),
    _share("wrong", "share of labels that are wrong", Better.neither),
    _share("precision", "share of suspect labels that are wrong"),
    _share("recall", "share of wrong labels that are suspect"),
    _share("average_precision", "area under precision over recall, the most suspicious first"),
    _share("proposed_accuracy", "share of items whose proposed label is right"),
)
EARLY_EXIT = (
    _lower("multiply_adds_share", "multiply_adds over those of the whole network", "compute", unit=PERCENT, shown=True),
    _lower("multiply_adds", "of an item, mean; below model/ of one that leaves there", "multiply-adds"),
    _share("share", "share of items that leaves at an exit", Better.neither),
    _neither("parameters", "of the network, or of what is left when it is cut at an exit"),
    *(
        _lower(f"{word}milliseconds_batch_{size}", f"time of an item, {size} at once{whose}", unit="ms")
        for word, whose in (("", ""), ("full_", ", through the whole network"))
        for size in (1, 64)
    ),
)
COSTS = (
    _share("teacher_agreement", "share of test items that it predicts as its teacher does", title="as its teacher"),
    _neither("parameters", "numbers that training sets"),
    _lower("multiply_adds", "of an item", "multiply-adds"),
    _lower("bytes", "of all numbers of the network", "bytes"),
    *(_lower(f"milliseconds_batch_{size}", f"time of an item, {size} at once", unit="ms") for size in (1, 64)),
)
TRAINING = (
    _lower("loss", "what is minimised; train/NAME are its terms"),
    _neither("lr", "learning rate of the step"),
    _neither("samples_per_second", "items of a batch over its time"),
)
BY_KIND = {
    "Of predictions; with features those of a linear probe": CLASSIFICATION,
    "Of features": REPRESENTATION,
    "Of pseudo-labels, below unlabelled/; .../CLASS of one true class": PSEUDO_LABELS,
    "Of a stream": STREAM[:4],
    "Of tasks": RETENTION,
    "Of labels, below labels/": LABELS,
    "Of early exit": EARLY_EXIT,
    "Of what a network costs, below model/ and test/": COSTS,
    "Of training, below train/": TRAINING,
}
PLACES = {
    "val/, test/": "the validation split, and the test set, which is read at the end of a stage and chooses nothing",
    "test_strong/": "a copy of the test set that is seen through a view, with ``dataset.test_view=strong``",
    "unlabelled/": "the teacher on items without a label (all, where all have one), seen clean",
    "test/new/, test/old/": "the task that a stage is named after, and the mean of those before it; test/task_0/ each",
    "first/, present/, last/": "periods of a stream, after the one that a stage is named after; stream/ is their mean",
    "train/, model/": "training, and what the network costs",
    "test/student/": "of the student, where its average is kept: without a word it is the average's",
    "test/exit_1/, test/ensemble/": "of a shallow exit, and of all together: without a word it is the deepest one's",
    "test/best/, test/last/": "of the weights that ``optim.select`` did not choose",
    "test/nll_calibrated": "after a temperature fitted on validation, as all that ends so; in tables NLL*",
    "STAGE:test/accuracy": "of one stage, as in ``sdrun compare --metric generation_0:test/accuracy``",
}
"""What stands before the names of metrics."""


def explained(metrics: Iterable[Metric]) -> list[str]:
    """A line for each metric of ours: what it means, and which way is better.

    >>> print(*explained([CLASSIFICATION[0], CLASSIFICATION[3]]), sep="\\n")
    accuracy: share of right predictions; higher is better
    * after a temperature fitted on the validation split
    """
    metrics = list(metrics)
    ours = {metric.name: metric.meaning for kind in BY_KIND.values() for metric in kind if metric.meaning}
    lines = [
        f"{metric.title}: {ours[metric.name]}"
        + ("" if metric.better is Better.neither else f"; {metric.better.value} is better")
        for metric in metrics
        if metric.name in ours
    ]
    has_fitted = any(metric.title.endswith("*") for metric in metrics)
    return [*lines, *(["* after a temperature fitted on the validation split"] if has_fitted else [])]
