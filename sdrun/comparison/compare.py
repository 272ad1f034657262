"""Groups of runs beside a baseline: what is compared with what, and what that says."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdrun.comparison.groups import Group, differing, grouped, of_budget, of_method
from sdrun.comparison.runs import Found, Run, text
from sdrun.comparison.statistics import LEVEL, Items, Paired, by_item, choose_test, holm, paired, seeds_needed
from sdrun.errors import InputError

METRICS = ["test/accuracy", "test/nll", "test/nll_calibrated", "test/ece"]
DEFAULT_BASELINE = {"method": "supervised"}
SMALLER_IS_BETTER = ("nll", "brier", "ece", "aurc", "multiply_adds", "milliseconds", "loss")


def is_better(metric: str, difference: float) -> bool | None:
    """Whether a change of a metric is for the better; None where the metric has no such side."""
    word = metric.rpartition("/")[2].removesuffix("_calibrated")
    if "accuracy" in word:
        return difference > 0
    return difference < 0 if any(part in word for part in SMALLER_IS_BETTER) else None


@dataclass(frozen=True)
class Cell:
    """A metric of a group: how many seeds have it, mean, standard deviation (None of one seed)."""

    n: int
    mean: float
    sd: float | None


@dataclass
class Difference:
    """A group against its baseline over the seeds that both have; ``adjusted``: p after correction for all.

    ``effect``: the mean difference in standard deviations of the baseline over seeds, None where that is 0.
    """

    metric: str
    paired: Paired
    effect: float | None
    adjusted: float = float("nan")
    needed: int | None = None

    @property
    def verdict(self) -> str:
        """One line that says what these seeds can tell."""
        if self.adjusted <= LEVEL:
            better = is_better(self.metric, self.paired.mean)
            return {True: "better", False: "worse", None: "higher" if self.paired.mean > 0 else "lower"}[better]
        n = self.paired.n
        if self.paired.sd == 0 and self.paired.mean == 0:
            return f"equal in all {n} seeds"
        if self.paired.sd == 0:
            return f"cannot tell with {n} seeds, which all differ by the same; a few more would do"
        needed = f"about {self.needed}" if self.needed else "more than 1,000"
        return f"cannot tell with {n} seeds; {needed} would be needed"


@dataclass
class Row:
    """A group with its numbers; ``baseline`` is the group that it is held against."""

    group: Group
    cells: dict[str, Cell]
    baseline: Group | None = None
    differences: dict[str, Difference] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class Comparison:
    """All that a comparison found."""

    metrics: list[str]
    rows: list[Row]
    unfinished: list[Run]
    skipped: list[tuple[Path, str]]
    items: Items | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def num_tests(self) -> int:
        return sum(len(row.differences) for row in self.rows)


def compare(found: Found, metrics: list[str] | None, baseline: dict[str, str] | None, across: list[str]) -> Comparison:
    """Hold the finished runs against each other.

    ``metrics``: None for the usual; ``baseline``: settings of the group that the others are held against;
    ``across``: settings, or groups of them such as ``model``, that are what is compared, though they change model, data
    or budget. Raises InputError where
    runs cannot be compared, and says what differs.
    """
    if not found.finished:
        raise InputError("there is no finished run to compare" + _said(found))
    chosen = metrics or [name for name in METRICS if any(run.metric(name) is not None for run in found.finished)]
    if not chosen:
        raise InputError("no run has any of the usual metrics; name one by --metric")
    groups, replaced = grouped(found.finished)
    _require_same_test(groups)
    rows = [Row(group, _cells(group, chosen)) for group in groups]
    result = Comparison(chosen, rows, found.unfinished, [*found.skipped, *replaced])
    for metric in chosen:
        lacking = sum(group.lacking(metric) for group in groups)
        if lacking == len(found.finished) - len(replaced):
            known = sorted({key for group in groups for key in group.example.summary.get("metrics", {})})
            raise InputError(f"--metric {metric}: no run has it; they have {', '.join(known[:12]) or 'none'} ...")
        if lacking:
            result.notes.append(f"{metric} is absent or no number in {lacking} runs, which are left out of its column")
    bases = _bases(groups, baseline)
    if not bases and len(groups) > 1:
        result.notes.append("no differences, for no group is the baseline; name one by --baseline KEY=VALUE")
    for row in rows:
        if bases and row.group not in bases:
            row.baseline = _base_of(row.group, bases, across)
            _require_pairs(row.group, row.baseline)
    _hold(rows, chosen)
    if len(found.finished) - len(replaced) == 2 and len(groups) == 2:
        result.items = _items(rows)
    return result


def _said(found: Found) -> str:
    parts = [f"{run.path} is {run.status}" for run in found.unfinished]
    parts += [f"{path}: {reason}" for path, reason in found.skipped]
    return "".join(f"\n  {part}" for part in parts[:8])


def _cells(group: Group, metrics: list[str]) -> dict[str, Cell]:
    cells = {metric: cell(group.values(metric)) for metric in metrics}
    return {metric: found for metric, found in cells.items() if found}


def cell(values: dict[int, float]) -> Cell | None:
    """Of a metric by seed; None of none."""
    numbers = list(values.values())
    if not numbers:
        return None
    return Cell(len(numbers), float(np.mean(numbers)), float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None)


def _bases(groups: list[Group], baseline: dict[str, str] | None) -> list[Group]:
    found = [group for group in groups if group.example.matches(baseline or DEFAULT_BASELINE)]
    if baseline and not found:
        known = "\n  ".join(group.label for group in groups)
        words = " ".join(f"{key}={value}" for key, value in baseline.items())
        raise InputError(f"--baseline {words}: no group has these settings; there are\n  {known}")
    return found


def _base_of(group: Group, bases: list[Group], across: list[str]) -> Group:
    """The baseline that has the group's model, data and budget. Raises InputError where there is none, or several."""
    keys = {id(base): _apart(group, base, across) for base in bases}
    fitting = [base for base in bases if not keys[id(base)]]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        labels = "\n  ".join(base.label for base in fitting)
        raise InputError(f"several groups could be the baseline; tell them apart by --baseline KEY=VALUE\n  {labels}")
    nearest = min(bases, key=lambda base: len(keys[id(base)]))
    found = keys[id(nearest)]
    differences = ", ".join(
        f"{key} ({text(group.settings.get(key))} and {text(nearest.settings.get(key))})" for key in found
    )
    raise InputError(
        f"not comparable: {group.label!r} and {nearest.label!r} differ in {differences}\n"
        f"Leave one out, name another by --baseline, or if that is what you compare: --across {' '.join(found)}"
    )


def _apart(group: Group, base: Group, across: list[str]) -> list[str]:
    """What keeps two groups from being compared: model, data or budget, where the method differs as well."""
    keys = differing(group.settings, base.settings)
    if not of_method(keys):
        return []
    return [key for key in of_budget(keys) if not any(key == name or key.startswith(f"{name}.") for name in across)]


def _require_same_test(groups: list[Group]) -> None:
    first = groups[0].example
    for group in groups:
        for run in group.runs.values():
            if run.manifest["data"].get("test") != first.manifest["data"].get("test"):
                raise InputError(
                    f"not comparable: {run.path} and {first.path} have other test data "
                    f"({run.manifest['dataset']} and {first.manifest['dataset']})"
                )


def _require_pairs(group: Group, base: Group) -> None:
    """Runs of one seed must have the same split, unless the data are what differs."""
    data_differ = any(key.startswith("dataset.") for key in of_budget(differing(group.settings, base.settings)))
    for seed in () if data_differ else sorted(group.runs.keys() & base.runs.keys()):
        one, other = group.runs[seed], base.runs[seed]
        parts = [
            part
            for part in ("train", "validation")
            if one.manifest["data"].get(part) != other.manifest["data"].get(part)
        ]
        if parts:
            raise InputError(
                f"not comparable: {one.path} and {other.path} have other images in {' and '.join(parts)}, though their "
                "settings are the same; the files of the dataset changed between them"
            )


def _hold(rows: list[Row], metrics: list[str]) -> None:
    pairs: list[tuple[Row, str, dict[int, float], dict[int, float]]] = []
    for row in rows:
        if not row.baseline:
            continue
        seeds = row.group.runs.keys() & row.baseline.runs.keys()
        if len(seeds) < 2:
            row.notes.append("fewer than two seeds shared with the baseline, which is too little for any difference")
            continue
        unpaired = sorted(row.group.runs.keys() ^ row.baseline.runs.keys())
        if unpaired:
            row.notes.append(f"seeds without a partner, not in the difference: {', '.join(map(str, unpaired))}")
        for metric in metrics:
            own, base = row.group.values(metric), row.baseline.values(metric)
            if len(own.keys() & base.keys()) > 1:
                pairs.append((row, metric, own, base))
    for row, metric, own, base in pairs:
        row.differences[metric] = difference(metric, own, base, len(pairs))
    correct([found for row in rows for found in row.differences.values()])


def difference(metric: str, own: dict[int, float], base: dict[int, float], num_comparisons: int) -> Difference:
    """Over the seeds that both have, of which there must be two at least; its p is not corrected yet."""
    shared = sorted(own.keys() & base.keys())
    found = paired([own[seed] - base[seed] for seed in shared], choose_test(len(shared), num_comparisons))
    spread = float(np.std(list(base.values()), ddof=1))
    return Difference(metric, found, found.mean / spread if spread else None)


def correct(differences: list[Difference]) -> None:
    """Give each its p after Holm's correction for all of them, and the seeds that would have been needed."""
    for difference, p in zip(differences, holm([d.paired.p for d in differences]), strict=True):
        difference.adjusted = p
        difference.needed = seeds_needed(difference.paired, LEVEL / len(differences))


def _items(rows: list[Row]) -> Items | None:
    """Of two runs alone: the second against the first, or the one that is no baseline against the baseline."""
    first, second = sorted(rows, key=lambda row: row.baseline is None)
    found = [row.group.example.predictions() for row in (first, second)]
    if found[0] is None or found[1] is None or len(found[0][1]) != len(found[1][1]):
        return None
    (logits, labels), (other_logits, other_labels) = found[0], found[1]
    return by_item(logits.argmax(axis=1) == labels, other_logits.argmax(axis=1) == other_labels)
