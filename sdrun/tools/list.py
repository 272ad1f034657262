"""``sdrun list``: all runs below a folder, with their status and what came out."""

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from sdrun import tools

if TYPE_CHECKING:
    from sdrun.comparison.index import Entry
    from sdrun.comparison.tables import Table
    from sdrun.judges.metric import Metric

MOST_NAMED = 20
OWN = ("status", "seed", "method", "model", "dataset")


def main(arguments: list[str]) -> None:
    """Raises InputError where the folder is not there, or a key is not known."""
    parser = tools.parser("list", __doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("outputs"), metavar="FOLDER", help="outputs")
    parser.add_argument("--limit", type=int, metavar="N", help="rows to show, 100 of a table; 0: all")
    parser.add_argument("--sort", metavar="KEY", help="a metric or a setting, largest first; newest first if not said")
    parser.add_argument("--where", nargs="+", default=[], metavar="KEY=VALUE", help="only runs with these settings")
    parser.add_argument("--metric", nargs="+", metavar="METRIC", help="columns to show")
    parser.add_argument("--format", choices=["md", "csv", "json"], help="instead of a table for a terminal")
    options = parser.parse_args(arguments)
    from sdrun.comparison import tables
    from sdrun.comparison.declared import together
    from sdrun.comparison.folders import passed_over
    from sdrun.comparison.index import listing
    from sdrun.errors import require
    from sdrun.judges.metric import fewest, lookup
    from sdrun.settings.words import filters, printable

    require(options.folder.is_dir(), str(options.folder), "is no folder; name the one that holds your runs")
    require(options.limit is None or options.limit >= 0, "--limit", f"is {options.limit}; 0 shows all rows")
    wanted = filters(options.where, "--where")
    needs_settings = any(key not in OWN for key in wanted) or _is_setting(options.sort)

    def told(num: int) -> None:
        if num > 100:
            print(f"reading {num:,} new or changed runs", file=sys.stderr)

    below = listing(options.folder, needs_settings, told)
    entries = [entry for entry in below.entries if _matches(entry, wanted)]
    entries = _sorted(entries, options.sort or "created")
    is_for_programs = options.format in ("csv", "json")
    limit = options.limit if options.limit is not None else 0 if is_for_programs else 100
    shown = entries[: limit or None]
    broken = [(entry.path, str(entry.error)) for entry in below.entries if entry.error] + below.closed
    notes = [f"cannot be read: {path}: {reason}" for path, reason in broken[:MOST_NAMED]] + passed_over(below.links)
    more = [f"the first {len(shown):,} are shown; --limit 0 shows all"] if len(shown) < len(entries) else []
    more += [f"{len(broken):,} cannot be read"] if broken else []
    declared = together(entry.declared for entry in entries if entry.metrics)
    usual = [f"test/{metric.name}" for metric in fewest(declared)]
    usual = [key for key in usual if any(key in entry.metrics for entry in entries)] or usual[:1]
    metrics = {key: lookup(key, declared) for key in options.metric or usual}
    if is_for_programs:
        print(_records(shown, list(metrics), options.format))
    else:
        table = _table(shown, metrics)
        print(tables.markdown(table)) if options.format else tables.show(table, tables.console())
    if options.format:
        tables.aside([*notes, *more])
        return
    for note in notes:
        print(printable(note))
    print("; ".join([f"{len(entries):,} of {len(below.entries):,} runs", *more]))


def _is_setting(key: str | None) -> bool:
    return key is not None and "/" not in key and key not in (*OWN, "created")


def _value(entry: "Entry", key: str) -> object:
    from sdrun.settings.words import ALIASES

    if key in OWN or key == "created":
        return getattr(entry, key)
    return entry.metrics.get(key) if "/" in key else entry.settings.get(ALIASES.get(key, key))


def _matches(entry: "Entry", wanted: dict[str, str]) -> bool:
    from sdrun.settings.words import says

    return all(
        says(value, _value(entry, key)) or (key == "method" and value == entry.title) for key, value in wanted.items()
    )


def _sorted(entries: list["Entry"], key: str) -> list["Entry"]:
    """Largest first; those that have no such value come last."""
    from sdrun.errors import InputError

    values = {entry.path: _value(entry, key) for entry in entries}
    having = [entry for entry in entries if values[entry.path] is not None]
    if entries and not having:
        raise InputError(f"--sort {key}: no run has it")
    is_numeric = all(isinstance(values[entry.path], int | float) for entry in having)

    def rank(entry: "Entry") -> tuple:
        value = values[entry.path]
        return (value,) if is_numeric else (str(value),)

    return sorted(having, key=rank, reverse=True) + [entry for entry in entries if values[entry.path] is None]


def _table(entries: list["Entry"], metrics: dict[str, "Metric"]) -> "Table":
    from sdrun.comparison import tables

    titles = [tables.titled(tables.called(key, metric), metric) for key, metric in metrics.items()]
    columns = ["run", "status", "age", "method", "model", "data", "seed", *titles]
    spare = ("model", *reversed(titles[1:]), "data", "age", "seed")
    table = tables.Table("", columns, left=("run", "status", "method", "model", "data"), spare=spare, paths="run")
    now = datetime.now(timezone.utc)
    for entry in entries:
        numbers = [tables.number(m, entry.metrics[key]) if key in entry.metrics else "" for key, m in metrics.items()]
        words = [str(entry.path), entry.status, _age(entry.created, now)]
        seed = "" if entry.seed is None else str(entry.seed)
        table.rows.append([*words, entry.title, entry.model, entry.dataset, seed, *numbers])
    return table


def _age(created: str, now: datetime) -> str:
    try:
        seconds = (now - datetime.fromisoformat(created)).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no time, or one without a zone, or beyond the calendar
        return ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return "now"


def _records(entries: list["Entry"], metrics: list[str], style: str) -> str:
    import json

    from sdrun.comparison.tables import csv_text

    keys = ("status", "created", "method", "model", "dataset", "seed")
    records = [
        {"run": str(entry.path), **{key: getattr(entry, key) for key in keys}}
        | {key: entry.metrics.get(key) for key in metrics}
        | {"error": entry.error}
        for entry in entries
    ]
    if style == "json":
        return json.dumps(records, indent=2)
    return csv_text(records, ["run", *keys, *metrics, "error"])
