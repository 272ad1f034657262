"""Tables as text for a terminal, Markdown or HTML, and how numbers are written in them."""

import csv
import html
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from sdrun.judges.metric import PERCENT, Metric
from sdrun.settings.words import printable

COLOURS = {
    "better": "green",
    "worse": "red",
    "cannot": "yellow",
    "within": "yellow",
    "baseline": "dim",
    "completed": "green",
    "failed": "red",
    "interrupted": "yellow",
    "killed": "yellow",
    "unreadable": "red",
}
"""Of a text by its first word."""

ROOM, ROOM_OF_PATHS = 12, 16
"""Characters that a column of words, or of paths, is not narrower than, where these need them."""

WIDEST = 10_000


@dataclass
class Table:
    """``rows`` of cells; the columns that ``left`` names are text, the others are numbers. All are shown printable.

    A terminal that is too narrow does without the ``spare`` columns, the first of them first, and then shortens the
    ``paths``. ``best``: cells, by row and column, whose value is the best of their column.
    """

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    left: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    best: set[tuple[int, str]] = field(default_factory=set)


def show(table: Table, console: Console) -> list[str]:
    """Print it, no wider than the console if that can be. Returns the columns that there was room for."""
    columns, spare = list(table.columns), [name for name in table.spare if name in table.columns]
    while _needed(shown := _rich(table, columns, {}), console) > console.width and spare:
        columns.remove(spare.pop(0))
    if _needed(shown, console) > console.width:
        shown = _rich(table, columns, _room(table, columns, console))
    console.print(shown)
    return columns


def _room(table: Table, columns: list[str], console: Console) -> dict[str, int]:
    """Characters for each column of paths, beside what the others need."""
    paths = [name for name in table.paths if name in columns]
    others = _needed(_rich(table, columns, dict.fromkeys(paths, 1)), console) - len(paths)
    return dict.fromkeys(paths, max(ROOM_OF_PATHS, (console.width - others) // max(len(paths), 1)))


def _rich(table: Table, columns: list[str], room: Mapping[str, int]) -> RichTable:
    title = Text(printable(table.title)) if table.title else None
    shown = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    places = [table.columns.index(name) for name in columns]
    texts = [
        [_shortened(table, name, row[place], room) for row in table.rows]
        for name, place in zip(columns, places, strict=True)
    ]
    for name, cells in zip(columns, texts, strict=True):
        is_text, is_path = name in table.left, name in table.paths
        widest = max(map(cell_len, [*cells, name]))
        shown.add_column(
            Text(printable(name)),
            justify="left" if is_text else "right",
            overflow="fold",
            no_wrap=not is_text or is_path,
            min_width=min(widest, ROOM) if is_text and not is_path else widest,
        )
    for number, row in enumerate(zip(*texts, strict=True)):
        styled = [Text(cell, _style(table, number, name, cell)) for name, cell in zip(columns, row, strict=True)]
        shown.add_row(*styled)
    return shown


def _shortened(table: Table, column: str, cell: str, room: Mapping[str, int]) -> str:
    """A path that is too long for its room without its middle."""
    cell, most = printable(cell), room.get(column)
    if most is None or cell_len(cell) <= most:
        return cell
    tail = cell[len(cell) - most * 2 // 3 :]
    return f"{cell[: max(most - len(tail) - 1, 0)]}…{tail}"


def _style(table: Table, row: int, column: str, cell: str) -> str:
    """Text in columns of text says by its first word what it means; a name that begins with spaces is below another."""
    if (row, column) in table.best:
        return "bold"
    is_word = column in table.left and column != table.columns[0]
    return COLOURS.get(cell.partition(" ")[0].rstrip(",:;"), "") if is_word else ""


def _needed(shown: RichTable, console: Console) -> int:
    """The least width in which numbers and names are whole."""
    options = console.options.update(max_width=WIDEST, width=WIDEST)
    return Measurement.get(console, options, shown).minimum


def console(is_plain: bool = False) -> Console:
    """One as wide as its terminal; a file or pipe gets lines as long as they are."""
    terminal = Console(highlight=False, soft_wrap=False, emoji=False)
    if is_plain or not terminal.is_terminal:
        return Console(highlight=False, width=240, force_terminal=False, emoji=False)
    return terminal


def plain(table: Table) -> str:
    """As it is printed where there is room for all, without colours."""
    file = io.StringIO()
    show(table, Console(file=file, width=WIDEST, color_system=None, emoji=False))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def line(text: str, console: Console, style: str | None = None) -> None:
    """Print a line of text; a terminal breaks it between words, but not a command, which begins with spaces."""
    console.print(printable(text), markup=False, style=style, soft_wrap=text.startswith(" ") or not console.is_terminal)


def note(text: str, console: Console) -> None:
    """Print a line beside a table."""
    line(text, console, "dim")


def aside(lines: Iterable[str]) -> None:
    """Print lines on stderr, where stdout is for a program."""
    for line in lines:
        print(printable(line), file=sys.stderr)


def markdown(table: Table) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(printable(cell).replace("|", "\\|") for cell in cells) + " |"

    heads = line(table.columns)
    rule = "|" + "|".join("---" if column in table.left else "---:" for column in table.columns) + "|"
    rows = [line(row) for row in table.rows]
    title = [f"**{printable(table.title)}**", ""] if table.title else []
    return "\n".join([*title, heads, rule, *rows])


def html_table(table: Table) -> str:
    def cell(tag: str, text: str, column: str) -> str:
        kind = "" if column in table.left else ' class="number"'
        return f"<{tag}{kind}>{html.escape(printable(text))}</{tag}>"

    heads = "".join(cell("th", column, column) for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(cell("td", text, column) for text, column in zip(row, table.columns, strict=True)) + "</tr>\n"
        for row in table.rows
    )
    caption = f"<caption>{html.escape(printable(table.title))}</caption>" if table.title else ""
    return f"<table>{caption}<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>"


def csv_text(records: list[dict[str, Any]], columns: list[str]) -> str:
    """Records with these keys as comma-separated values, without a newline at the end."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writerow({column: printable(column) for column in columns})
    for record in records:
        writer.writerow({key: printable(value) if isinstance(value, str) else value for key, value in record.items()})
    return file.getvalue().rstrip("\n")


def number(metric: Metric, value: float, signed: bool = False) -> str:
    """A value of a metric: shares in percent, others with four digits behind the point."""
    sign = "+" if signed else ""
    return f"{100 * value:{sign}.2f}" if metric.unit == PERCENT else f"{value:{sign}.4f}"


def titled(title: str, metric: Metric) -> str:
    """A title with the unit of its numbers."""
    return f"{title}, {metric.unit}" if metric.unit else title


def called(key: str, metric: Metric) -> str:
    """What a column of the test set is called: the title of its metric; of another metric its key."""
    return metric.title if key == f"test/{metric.name}" and metric.title else key


def p_value(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
