"""Groups of runs beside a baseline: what is compared with what, and what that says."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdrun.comparison.baselines import base_of, bases_of, require_same_splits, require_same_test
from sdrun.comparison.declared import together
from sdrun.comparison.differences import Cell, Difference, cell, difference
from sdrun.comparison.groups import Group, grouped
from sdrun.comparison.lagging import lag
from sdrun.comparison.runs import Found, Predictions, Run, passed_over
from sdrun.comparison.statistics import LEVEL, Items, by_item
from sdrun.errors import InputError
from sdrun.judges.metric import Declared, Metric, lookup, shown
from sdrun.settings.words import printable
from sdrun.storage.documents import Unreadable

MOST_METRICS = 4
"""Of a run, where none are named."""


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
    """All that a comparison found; ``metrics``: what those that are compared mean.

    ``primary`` is the first of them, and the only one that is judged: what else is shown changes no verdict.
    """

    primary: str
    metrics: dict[str, Metric]
    rows: list[Row]
    unfinished: list[Run]
    skipped: list[tuple[Path, str]]
    items: Items | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def num_tests(self) -> int:
        """Groups that are held against a baseline on the primary metric, whose intervals hold together."""
        return sum(self.primary in row.differences for row in self.rows)


def compare(
    runs: Found,
    metrics: list[str] | None,
    baseline: dict[str, str] | None,
    across: list[str],
    primary: str | None = None,
) -> Comparison:
    """Hold the finished runs against each other.

    ``metrics``: None for the usual; ``baseline``: settings of the group that the others are held against;
    ``across``: settings, or groups of them such as ``model``, that are what is compared, though they change model, data
    or budget; ``primary``: the metric that is judged, None for the foremost one that runs declare. Raises InputError
    where runs cannot be compared, and says what differs.
    """
    if not runs.finished:
        raise InputError("there is no finished run to compare" + _said(runs))
    groups, replaced = grouped(runs.finished)
    kept = [run for group in groups for run in group.runs.values()]
    declared = together(run.declared for run in kept)
    primary = primary or _foremost(kept, declared)
    chosen = {name: lookup(name, declared) for name in [primary, *(metrics or _usual(kept))]}
    require_same_test(groups)
    rows = [Row(group, _cells(group, chosen), notes=_lags(group, primary, chosen[primary])) for group in groups]
    result = Comparison(primary, chosen, rows, runs.unfinished, [*runs.skipped, *replaced])
    result.notes += passed_over(runs.links)
    for metric in chosen:
        lacking = sum(group.lacking(metric) for group in groups)
        if lacking == len(kept):
            names = sorted({printable(key) for group in groups for key in group.example.summary.get("metrics", {})})
            option = "--primary" if metric == primary else "--metric"
            raise InputError(f"{option} {metric}: no run has it; they have {', '.join(names[:12]) or 'none'} ...")
        if lacking:
            result.notes.append(f"{metric} is absent or no number in {lacking} runs, which are left out of its column")
    bases = bases_of(groups, baseline)
    if not bases and len(groups) > 1:
        result.notes.append("no differences, for no group is the baseline; name one by --baseline KEY=VALUE")
    for row in rows:
        if bases and row.group not in bases:
            row.baseline = base_of(row.group, bases, across)
            require_same_splits(row.group, row.baseline)
    _hold(rows, chosen, primary)
    if len(kept) == 2 and len(groups) == 2:
        try:
            result.items = _items(rows)
        except Unreadable as error:
            result.notes.append(f"the two runs are not compared item by item: {error}")
    return result


def _said(runs: Found) -> str:
    parts = [f"{run.path} is {run.status}" for run in runs.unfinished]
    parts += [f"{path}: {reason}" for path, reason in runs.skipped]
    parts = [*passed_over(runs.links), *parts]
    more = [f"and {len(parts) - 8:,} more"] if len(parts) > 8 else []
    return "".join(f"\n  {printable(part)}" for part in [*parts[:8], *more])


def _cells(group: Group, metrics: Iterable[str]) -> dict[str, Cell]:
    return {metric: value for metric in metrics if (value := cell(group.values(metric)))}


def _foremost(runs: list[Run], declared: Declared) -> str:
    """What most runs declare first, or where no run has that on the test set, the first of all that are declared."""
    firsts = Counter(next(iter(run.declared)) for run in runs if run.declared)
    for name in [*(name for name, _ in firsts.most_common()), *declared]:
        if any(run.metric(f"test/{name}") is not None for run in runs):
            return f"test/{name}"
    raise InputError("no run has any metric that is declared, to be judged; name one by --primary")


def _lags(group: Group, key: str, metric: Metric) -> list[str]:
    behind = lag(group.runs, key, metric)
    return [str(behind)] if behind and behind.is_far else []


def _usual(runs: list[Run]) -> list[str]:
    """The foremost metrics of each run, without those that none has."""
    names = dict.fromkeys(f"test/{metric.name}" for run in runs for metric in shown(run.declared)[:MOST_METRICS])
    return [name for name in names if any(run.metric(name) is not None for run in runs)]


def _hold(rows: list[Row], metrics: dict[str, Metric], primary: str) -> None:
    """Fill in the differences; those of the primary metric hold together (Bonferroni)."""
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
    num = sum(metric == primary for _, metric, _, _ in pairs)
    for row, metric, own, base in pairs:
        row.differences[metric] = difference(metrics[metric], own, base, LEVEL / num if metric == primary else LEVEL)


def _items(rows: list[Row]) -> Items:
    """Of two runs alone: the second against the first, or the one that is no baseline against the baseline.

    Raises Unreadable where their predictions cannot be read, or are of other items.
    """
    runs = [row.group.example for row in sorted(rows, key=lambda row: row.baseline is None)]
    (logits, labels), (other_logits, other_labels) = (_predictions(run) for run in runs)
    if not np.array_equal(labels, other_labels):
        raise Unreadable(f"the predictions of {runs[0].path} and {runs[1].path} have other labels")
    return by_item(logits.argmax(axis=1) == labels, other_logits.argmax(axis=1) == other_labels)


def _predictions(run: Run) -> Predictions:
    try:
        return run.predictions()
    except Unreadable as error:
        raise Unreadable(f"{run.path}: {error}") from error
