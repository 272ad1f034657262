"""Groups of runs beside a baseline: what is compared with what, and what that says."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sdrun.comparison.baselines import (
    base_of,
    bases_of,
    first_of_two,
    own_bases,
    require_same_splits,
    require_same_test,
)
from sdrun.comparison.declared import together
from sdrun.comparison.differences import Cell, Difference, cell, difference
from sdrun.comparison.folders import Found, passed_over
from sdrun.comparison.frontier import Axes, Frontier, matched
from sdrun.comparison.groups import STAGE, Group, differing, grouped, of_budget
from sdrun.comparison.items import items
from sdrun.comparison.lagging import STUDENT, lag
from sdrun.comparison.runs import Run
from sdrun.comparison.stages import at, is_other, places
from sdrun.comparison.statistics import LEVEL, Items
from sdrun.errors import InputError
from sdrun.judges.metric import Declared, Metric, lookup, shown
from sdrun.settings.words import printable
from sdrun.storage.documents import Unreadable

MOST_METRICS = 4
"""Of a run, where none are named."""

ACCURACY = "accuracy"
"""What predictions tell item by item."""


@dataclass
class Row:
    """A group with its numbers; ``baseline`` is the group that it is held against.

    ``items``: of a group of one run against one run, item by item; ``is_beside``: of networks that are not what their
    runs are judged by, such as the student whose average is, or a larger teacher, and which are held against the same
    baseline for a look.
    """

    group: Group
    cells: dict[str, Cell]
    baseline: Group | None = None
    differences: dict[str, Difference] = field(default_factory=dict)
    items: Items | None = None
    is_beside: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is called in a table, where it stands below the row of its runs if it is beside that."""
        word = self.group.example.word
        return f"  its {word}" if self.is_beside and word else self.group.label


@dataclass
class Comparison:
    """All that a comparison found; ``metrics``: what those that are compared mean.

    ``primary`` is the first of them, and the only one that is judged: what else is shown changes no verdict.
    ``frontier``: where each group is one of its lines at the level.
    """

    primary: str
    metrics: dict[str, Metric]
    rows: list[Row]
    unfinished: list[Run]
    skipped: list[tuple[Path, str]]
    notes: list[str] = field(default_factory=list)
    frontier: Frontier | None = None

    @property
    def num_tests(self) -> int:
        """Groups that are held against a baseline on the primary metric, whose intervals hold together."""
        return sum(self.primary in row.differences for row in self.rows if not row.is_beside)

    @property
    def is_single(self) -> bool:
        """Whether each group is one run, so that nothing is known of other seeds."""
        return all(len(row.group.runs) == 1 for row in self.rows)


def compare(
    runs: Found,
    metrics: list[str] | None,
    baseline: dict[str, str] | None,
    across: list[str],
    primary: str | None = None,
    frontier: Axes | None = None,
) -> Comparison:
    """Hold the finished runs against each other.

    ``metrics``: None for the usual; ``baseline``: settings of the group that the others are held against, None for
    supervised training, or of runs at their stages for the best of what these hold themselves against; ``across``:
    settings, or groups of them such as ``model``, that are what is compared, though they change model, data or budget;
    ``primary``: the metric that is judged, None for the foremost one that runs declare; ``frontier``: instead, what is
    kept where as much is reached, as ``frontier.matched`` has it. Raises InputError where runs cannot be compared, and
    says what differs.
    """
    if not runs.finished:
        raise InputError("there is no finished run to compare" + _said(runs))
    groups, replaced = grouped(runs.finished)
    kept = [run for group in groups for run in group.runs.values()]
    declared = together(run.declared for run in kept)
    require_same_test(groups)
    lines, notes = None, list[str]()
    if frontier:
        groups, lines, notes = matched(groups, frontier, declared)
        kept = [run for group in groups for run in group.runs.values()]
        primary, metrics = frontier.kept, [frontier.reached, *(metrics or [])]
    primary = primary or _foremost(kept, declared)
    chosen = {name: lookup(name, declared) for name in [primary, *(metrics or _usual(kept))]}
    rows = [row for group in groups for row in _rows(group, chosen, primary)]
    result = Comparison(primary, chosen, rows, runs.unfinished, [*runs.skipped, *replaced], notes, lines)
    result.notes += passed_over(runs.links)
    for metric in chosen:
        lacking = sum(group.lacking(metric) for group in groups)
        if lacking == len(kept):
            names = sorted({printable(key) for group in groups for key in group.example.summary.get("metrics", {})})
            option = "--primary" if metric == primary else "--metric"
            raise InputError(f"{option} {metric}: no run has it; they have {', '.join(names[:12]) or 'none'} ...")
        if lacking:
            result.notes.append(f"{metric} is absent or no number in {lacking} runs, which are left out of its column")
    bases = bases_of(groups, baseline) or own_bases(groups, chosen[primary], primary)
    if not bases and (bases := first_of_two(groups)):
        result.notes.append(f"held against {bases[0].label}, the first of the two; name one by --baseline KEY=VALUE")
    if not bases and len(groups) > 1:
        result.notes.append("no differences, for no group is the baseline; name one by --baseline KEY=VALUE")
    for row in rows:
        if bases and row.group not in bases:
            row.baseline = base_of(row.group, bases, across)
            require_same_splits(row.group, row.baseline)
    _tell_idle(rows, bases)
    _hold(rows, chosen, primary)
    if chosen[primary].name == ACCURACY and primary.rpartition(":")[2] == f"test/{ACCURACY}":
        result.notes += _hold_items(rows)
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


def _rows(group: Group, metrics: dict[str, Metric], primary: str) -> list[Row]:
    """Of a group, and of its student where that is not what is judged."""
    notes, is_beside = _lags(group, primary, metrics[primary]), is_other(group.example)
    row = Row(group, _cells(group, metrics), is_beside=is_beside, notes=notes)
    if not all(_has_student(run) for run in group.runs.values()):
        return [row]
    runs = {seed: at(run, STUDENT) for seed, run in group.runs.items()}
    student = Group(f"{group.label}: {STUDENT}", {**group.settings, STAGE: STUDENT}, runs)
    return [row, Row(student, _cells(student, metrics), is_beside=True)]


def _has_student(run: Run) -> bool:
    """Whether an average is what is looked at, whose student was judged, too."""
    return not run.word and run.stage in (None, run.trained) and STUDENT in places(run)


def _lags(group: Group, key: str, metric: Metric) -> list[str]:
    behind = lag(group.runs, key, metric)
    return [str(behind)] if behind and behind.is_far else []


def _usual(runs: list[Run]) -> list[str]:
    """The foremost metrics of each run, without those that none has."""
    names = dict.fromkeys(f"test/{metric.name}" for run in runs for metric in shown(run.declared)[:MOST_METRICS])
    return [name for name in names if any(run.metric(name) is not None for run in runs)]


def _tell_idle(rows: list[Row], bases: list[Group]) -> None:
    """Note baselines that nothing is held against, where others are."""
    used = [base for base in bases if any(row.baseline is base for row in rows)]
    for row in rows:
        if used and not row.is_beside and row.group in bases and row.group not in used:
            keys = of_budget(differing(row.group.settings, used[0].settings))
            row.notes.append(f"a baseline that no group is held against, for none has its {' and '.join(keys)}")


def _hold(rows: list[Row], metrics: dict[str, Metric], primary: str) -> None:
    """Fill in the differences; those of the primary metric hold together (Bonferroni)."""
    pairs: list[tuple[Row, str, dict[int, float], dict[int, float]]] = []
    for row in rows:
        if not row.baseline:
            continue
        seeds = row.group.runs.keys() & row.baseline.runs.keys()
        unpaired = sorted(row.group.runs.keys() ^ row.baseline.runs.keys())
        if len(seeds) < 2:
            if max(len(row.group.runs), len(row.baseline.runs)) > 1 and not row.is_beside:
                row.notes.append(
                    "fewer than two seeds shared with the baseline, which is too little for any difference"
                )
            continue
        if unpaired and not row.is_beside:
            row.notes.append(f"seeds without a partner, not in the difference: {', '.join(map(str, unpaired))}")
        for metric in metrics:
            own, base = row.group.values(metric), row.baseline.values(metric)
            if len(own.keys() & base.keys()) > 1:
                pairs.append((row, metric, own, base))
    num = sum(metric == primary for row, metric, _, _ in pairs if not row.is_beside)
    for row, metric, own, base in pairs:
        row.differences[metric] = difference(
            metrics[metric], own, base, LEVEL / max(num, 1) if metric == primary else LEVEL
        )


def _hold_items(rows: list[Row]) -> list[str]:
    """Fill in what single runs say item by item of their baseline's; returns which say nothing, and why."""
    problems: dict[str, None] = {}
    for row in rows:
        if row.baseline and len(row.group.runs) == len(row.baseline.runs) == 1:
            try:
                row.items = items(row.group.example, row.baseline.example)
            except Unreadable as error:
                problems[f"not compared item by item: {error}"] = None
    return list(problems)
