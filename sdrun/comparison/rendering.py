"""A comparison as people and programs read it."""

import html
import json
from typing import Any

from sdrun.comparison import tables
from sdrun.comparison.compare import Comparison, Row
from sdrun.comparison.differences import Cell, Difference
from sdrun.comparison.statistics import MOST_EXACT, Test
from sdrun.comparison.tables import Table, number, p_value, titled
from sdrun.judges.metric import Metric
from sdrun.settings.words import printable
from sdrun.storage.files import finite

COLUMNS = ["runs", "n", "mean ± sd", "difference", "95 %", "in sd", "p", "verdict"]
TEXT = ("runs", "verdict")
OF_DIFFERENCE = ["baseline", "pairs", "difference", "low", "high", "effect", "test", "p", "p_holm", "needed", "verdict"]
"""What a record has of a difference, null where there is none."""


def by_metric(result: Comparison) -> list[Table]:
    """A table for each metric, its rows the groups."""
    per_metric = []
    for name, metric in result.metrics.items():
        table = Table(titled(name, metric), COLUMNS, left=TEXT)
        for row in result.rows:
            cell = row.cells.get(name)
            shown = mean_sd(metric, cell) if cell else "absent"
            words = _difference(row.differences.get(name), row, result)
            table.rows.append([row.group.label, str(cell.n if cell else 0), shown, *words])
        per_metric.append(table)
    return per_metric


def mean_sd(metric: Metric, cell: Cell) -> str:
    """Mean and standard deviation; of one seed the mean alone."""
    return number(metric, cell.mean) + ("" if cell.sd is None else f" ± {number(metric, cell.sd)}")


def numbers(difference: Difference) -> list[str]:
    """The mean difference, its 95 % interval, and how many standard deviations of the baseline it is."""
    metric, paired = difference.metric, difference.paired
    mean, low, high = (number(metric, value, signed=True) for value in (paired.mean, paired.low, paired.high))
    return [mean, f"[{low}, {high}]", "" if difference.effect is None else f"{difference.effect:+.1f}"]


def _difference(difference: Difference | None, row: Row, result: Comparison) -> list[str]:
    if difference is None:
        is_base = any(row.group is other.baseline for other in result.rows)
        return ["", "", "", "", "baseline" if is_base else ""]
    return [*numbers(difference), p_value(difference.adjusted), difference.verdict]


def notes(result: Comparison) -> list[str]:
    """What a reader must know of the tables, one a line; all can be printed."""
    lines = []
    shown = [d for row in result.rows for d in row.differences.values()]
    tested = {d.paired.test for d in shown}
    if tested:
        names = {Test.permutation: "exact permutation of signs", Test.t: "paired t test"}
        used = " or ".join(names[test] for test in Test if test in tested)
        lines.append(
            f"Differences are paired by seed, with 95 % intervals by t. p: {used}, after Holm's correction for the "
            f"{result.num_tests} comparisons shown. In sd: over the baseline's standard deviation of seeds."
        )
    n = min((d.paired.n for d in shown if d.paired.test is Test.t), default=MOST_EXACT + 1)
    if n <= MOST_EXACT:
        lines.append(
            f"An exact test of {n} pairs cannot give a p below {2 * 0.5**n:.2g}; so t, which assumes normal noise."
        )
    if result.items:
        lines.append(per_item(result))
    for row in result.rows:
        lines += [f"{row.group.label}: {note}" for note in row.notes]
    lines += result.notes
    lines += [f"not averaged: {run.path} is {run.status}" for run in result.unfinished]
    lines += [f"skipped: {path}: {reason}" for path, reason in result.skipped]
    if result.skipped or result.unfinished:
        lines.append(f"{len(result.unfinished)} unfinished, {len(result.skipped)} skipped")
    return list(map(printable, lines))


def per_item(result: Comparison) -> str:
    """The two runs alone, item by item."""
    items = result.items
    assert items
    first, second = (row.group.label for row in sorted(result.rows, key=lambda row: row.baseline is None))
    return (
        f"These two runs on {items.n} test items: {first} alone is right on {items.first_alone}, {second} alone on "
        f"{items.second_alone}; {100 * items.difference:+.2f} points, [{100 * items.low:+.2f}, "
        f"{100 * items.high:+.2f}] by paired bootstrap; McNemar p {p_value(items.p)}. "
        "That is of these weights, not of another seed's."
    )


def text(result: Comparison, style: str) -> str:
    """As ``md``, ``csv``, ``json`` or ``html``."""
    if style == "csv":
        records = _records(result)
        return tables.csv_text(records, list(records[0]))
    if style == "json":
        return json.dumps(finite(plain(result)), indent=2)
    if style == "html":
        parts = [tables.html_table(table) for table in by_metric(result)]
        return "\n".join([*parts, *(f"<p>{html.escape(note)}</p>" for note in notes(result))])
    parts = [tables.markdown(table) for table in by_metric(result)]
    return "\n\n".join([*parts, *notes(result)])


def plain(result: Comparison) -> dict[str, Any]:
    """All numbers, as JSON has them."""
    return {
        "rows": list(_records(result)),
        "num_comparisons": result.num_tests,
        "correction": "Holm",
        "items": vars(result.items) if result.items else None,
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
            record |= dict.fromkeys(OF_DIFFERENCE)
            if difference and row.baseline:
                p = difference.paired
                record |= {
                    "baseline": row.baseline.label,
                    "pairs": p.n,
                    "difference": p.mean,
                    "low": p.low,
                    "high": p.high,
                    "effect": difference.effect,
                    "test": p.test.value,
                    "p": p.p,
                    "p_holm": difference.adjusted,
                    "needed": difference.needed,
                    "verdict": difference.verdict,
                }
            records.append(record)
    return records
