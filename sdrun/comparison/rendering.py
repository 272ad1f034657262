"""A comparison as people and programs read it."""

import html
import json
from collections.abc import Collection
from typing import Any

from rich.console import Console

from sdrun.comparison import single, tables
from sdrun.comparison.compare import Comparison, Row
from sdrun.comparison.differences import Cell, Difference
from sdrun.comparison.fairness import advantage
from sdrun.comparison.sentences import price, sentence
from sdrun.comparison.statistics import LEVEL, Items
from sdrun.comparison.tables import Table, number, p_value, titled
from sdrun.judges.metric import Metric, explained
from sdrun.settings.words import printable
from sdrun.storage.files import finite

COLUMNS = ["runs", "n", "mean ± sd", "difference"]
OF_PRIMARY = ["p", "verdict"]
TEXT = ("runs", "verdict")
IN_SD = "in sd"
SPARE = (IN_SD, "p", "n", "mean ± sd")
OF_DIFFERENCE = ["baseline", "pairs", "difference", "confidence", "low", "high", "effect"]
OF_VERDICT = ["p", "p_adjusted", "needed", "verdict"]
BY_ITEM = ["test_items", "alone_right", "baseline_alone_right", "mcnemar_p"]
"""With those above, what a record has of a difference; null where there is none, or no verdict rests on it."""


def sentences(result: Comparison) -> list[str]:
    """What the primary metric says of each group that is held against a baseline; all can be printed."""
    if result.is_single:
        return single.sentences(result)
    title = single.headline(result)
    lines = []
    for row in result.rows:
        difference = row.differences.get(result.primary)
        if difference and row.baseline and not row.is_beside:
            own, base = row.group, row.baseline
            cost = price(own.runs, base.runs)
            lines.append(sentence(own.label, base.label, difference, title=title, price=cost))
    return list(map(printable, lines))


def shown(result: Comparison) -> list[Table]:
    """Of single runs one table, else one for each metric."""
    return [single.table(result), *filter(None, [single.costs(result)])] if result.is_single else by_metric(result)


def show(result: Comparison, console: Console) -> None:
    """Print it for a person: the answer first."""
    for line in sentences(result):
        tables.line(line, console, "bold")
    columns = [name for table in shown(result) for name in tables.show(table, console)]
    for note in notes(result, columns):
        tables.note(note, console)


def by_metric(result: Comparison) -> list[Table]:
    """A table for each metric, its rows the groups; the primary one's has p and verdicts."""
    per_metric = []
    for name, metric in result.metrics.items():
        level = _level(result) if name == result.primary else LEVEL
        columns = [*COLUMNS, confidence(level), IN_SD, *(OF_PRIMARY if name == result.primary else [])]
        table = Table(titled(name, metric), columns, left=TEXT, spare=SPARE)
        for row in result.rows:
            cell = row.cells.get(name)
            mean = mean_sd(metric, cell) if cell else "absent"
            judged = _verdict(row, result) if name == result.primary else []
            of_difference = numbers(row.differences[name]) if name in row.differences else ["", "", ""]
            table.rows.append([row.name, str(cell.n if cell else 0), mean, *of_difference, *judged])
        per_metric.append(table)
    are_held = any(row.baseline for row in result.rows)
    return per_metric if are_held else [tables.without_empty(table) for table in per_metric]


def confidence(level: float) -> str:
    """What an interval at ``1 - level`` is called.

    >>> confidence(0.05 / 3)
    '98.33 %'
    """
    return f"{100 - float(f'{100 * level:.3g}'):g} %"


def mean_sd(metric: Metric, cell: Cell) -> str:
    """Mean and standard deviation; of one seed the mean alone."""
    return number(metric, cell.mean) + ("" if cell.sd is None else f" ± {number(metric, cell.sd)}")


def numbers(difference: Difference) -> list[str]:
    """The mean difference, its interval, and how many standard deviations of the baseline it is."""
    metric, paired = difference.metric, difference.paired
    mean, low, high = (number(metric, value, signed=True) for value in (paired.mean, paired.low, paired.high))
    return [mean, f"[{low}, {high}]", "" if difference.effect is None else f"{difference.effect:+.1f}"]


def _level(result: Comparison) -> float:
    """Of each comparison on the primary metric."""
    return LEVEL / max(1, result.num_tests)


def _verdict(row: Row, result: Comparison) -> list[str]:
    difference = row.differences.get(result.primary)
    if row.is_beside:
        return ["", ""]
    if difference:
        return [p_value(difference.adjusted), difference.verdict]
    return ["", "baseline" if any(row.group is other.baseline for other in result.rows) else ""]


def notes(result: Comparison, columns: Collection[str] | None = None) -> list[str]:
    """What a reader must know of these columns of the tables, by default of all, one a line; all can be printed."""
    if columns is None:
        columns = [name for table in shown(result) for name in table.columns]
    lines = _method(result, columns) if any(row.differences for row in result.rows) else []
    if any(row.items for row in result.rows):
        lines.append("What one run's weights say of these items is not what another seed's would.")
    lines += footnotes(result, columns) if result.is_single else []
    lines += [] if result.frontier else advantages(result)
    for row in result.rows:
        lines += [f"{row.group.label}: {note}" for note in row.notes]
    lines += result.notes
    lines += [f"not averaged: {run.path} is {run.status}" for run in result.unfinished]
    lines += [f"skipped: {path}: {reason}" for path, reason in result.skipped]
    if result.skipped or result.unfinished:
        lines.append(f"{len(result.unfinished)} unfinished, {len(result.skipped)} skipped")
    return list(map(printable, lines))


def footnotes(result: Comparison, columns: Collection[str]) -> list[str]:
    """What stands below a table of single runs: what the metrics of these columns mean."""
    seen = [result.metrics[key] for key, title in single.titles_of(result).items() if title in columns]
    costs = ["ms: of an item, 1 or 64 at once, on the machine that trained it"] * ("ms at 1" in columns)
    return list(map(printable, [*explained(seen), *costs]))


def advantages(result: Comparison) -> list[str]:
    """What groups had more of than their baseline, of each baseline what the last one had."""
    by_baseline, groups = {}, [row.group for row in result.rows if not row.is_beside]
    for row in result.rows:
        if row.baseline and not row.is_beside and (lines := advantage(row.group, row.baseline, groups)):
            by_baseline[row.baseline.label] = lines
    return [line for lines in by_baseline.values() for line in lines]


def _method(result: Comparison, columns: Collection[str]) -> list[str]:
    """How differences are judged."""
    num, of_primary = result.num_tests, confidence(_level(result))
    in_sd = " In sd: over the baseline's deviation over seeds." if IN_SD in columns else ""
    lines = [f"Differences are paired by seed, their intervals by t.{in_sd}"]
    if num > 1:
        lines.append(
            f"Verdicts are those of {result.primary}: its intervals hold together for its {num} comparisons "
            f"({of_primary} each), and p is corrected for these (Bonferroni)."
        )
    elif num:
        lines.append(f"The verdict is that of {result.primary}, whose interval is one of {of_primary}.")
    if any(name != result.primary for row in result.rows for name in row.differences):
        lines.append(f"Intervals of other metrics are {confidence(LEVEL)} each, and decide nothing.")
    return lines


def text(result: Comparison, style: str) -> str:
    """As ``md``, ``csv``, ``json`` or ``html``."""
    if style == "csv":
        records = _records(result)
        return tables.csv_text(records, list(records[0]))
    if style == "json":
        return json.dumps(finite(plain(result)), indent=2)
    if style == "html":
        first, last = (
            [f"<p>{html.escape(line)}</p>" for line in lines] for lines in (sentences(result), notes(result))
        )
        return "\n".join([*first, *map(tables.html_table, shown(result)), *last])
    return "\n\n".join([*sentences(result), *map(tables.markdown, shown(result)), *notes(result)])


def plain(result: Comparison) -> dict[str, Any]:
    """All numbers, as JSON has them."""
    return {
        "sentences": sentences(result),
        "rows": _records(result),
        "primary": result.primary,
        "num_comparisons": result.num_tests,
        "correction": "Bonferroni",
        "unfinished": [{"path": str(run.path), "status": run.status} for run in result.unfinished],
        "skipped": [{"path": str(path), "reason": reason} for path, reason in result.skipped],
        "notes": result.notes,
    }


def _records(result: Comparison) -> list[dict[str, Any]]:
    records = []
    for row in result.rows:
        for metric in result.metrics:
            cell, difference = row.cells.get(metric), row.differences.get(metric)
            record: dict[str, Any] = {"runs": row.group.label, "metric": metric}
            record |= {"n": cell.n if cell else 0, "mean": cell.mean if cell else None, "sd": cell.sd if cell else None}
            record |= dict.fromkeys([*OF_DIFFERENCE, *OF_VERDICT, *BY_ITEM])
            if difference and row.baseline:
                record |= _numbers_of(difference, row.baseline.label)
                record |= _verdict_of(difference) if metric == result.primary and not row.is_beside else {}
            if row.items and row.baseline and metric == result.primary:
                record |= _numbers_by_item(row.items, row.baseline.label)
            records.append(record)
    return records


def _numbers_of(difference: Difference, baseline: str) -> dict[str, Any]:
    p = difference.paired
    numbers = [baseline, p.n, p.mean, 1 - p.level, p.low, p.high, difference.effect]
    return dict(zip(OF_DIFFERENCE, numbers, strict=True))


def _numbers_by_item(items: Items, baseline: str) -> dict[str, Any]:
    numbers = [items.n, items.first_alone, items.second_alone, items.p]
    return {**dict(zip(BY_ITEM, numbers, strict=True)), "baseline": baseline, "difference": items.difference}


def _verdict_of(difference: Difference) -> dict[str, Any]:
    words = [difference.paired.p, difference.adjusted, difference.needed, difference.verdict]
    return dict(zip(OF_VERDICT, words, strict=True))
