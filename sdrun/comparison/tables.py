"""Tables as text for a terminal, Markdown or HTML, and how numbers are written in them."""

import csv
import html
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segments
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

ROOM = 12
"""Characters that a column of words is not narrower than, where these need them."""

LONGEST = 24
"""Characters of a word that is kept whole."""

INDENT = 2
"""Of what stands below a path."""

WIDEST = 10_000


@dataclass
class Table:
    """``rows`` of cells; the columns that ``left`` names are text, the others are numbers. All are shown printable.

    A terminal that is too narrow does without the ``spare`` columns, the first of them first. Where that is not enough
    the column of ``paths`` stands above the others, so that it can be copied. ``best``: cells, by row and column, whose
    value is the best of their column.
    """

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    left: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
    paths: str = ""
    best: set[tuple[int, str]] = field(default_factory=set)


def show(table: Table, console: Console) -> list[str]:
    """Print it, no wider than the console if that can be. Returns the columns that there was room for."""
    columns, shown = _fitting(table, table.columns, console.width, console, (LONGEST, ROOM))
    if table.paths in columns and _needed(shown, console) > console.width:
        others = [name for name in table.columns if name != table.paths]
        columns, shown = _fitting(table, others, console.width - INDENT, console, (WIDEST,))
        _show_below_paths(table, shown, console)
        return [table.paths, *columns]
    console.print(shown)
    return columns


def without_empty(table: Table) -> Table:
    """Without the columns that no row has anything in."""
    kept = [place for place in range(len(table.columns)) if not table.rows or any(row[place] for row in table.rows)]
    rows = [[row[place] for place in kept] for row in table.rows]
    return replace(table, columns=[table.columns[place] for place in kept], rows=rows)


def _fitting(
    table: Table, columns: list[str], width: int, console: Console, words: tuple[int, ...]
) -> tuple[list[str], RichTable]:
    """Without the spare columns that there is no room for. ``words``: see ``_rich``, the next where one is too wide."""
    for word in words:
        kept, spare = list(columns), [name for name in table.spare if name in columns]
        while _needed(shown := _rich(table, kept, word), console) > width and spare:
            kept.remove(spare.pop(0))
        if _needed(shown, console) <= width:
            break
    return kept, shown


def _show_below_paths(table: Table, shown: RichTable, console: Console) -> None:
    """Each row on a line of its own, below its path."""
    drawn = Padding(shown, (0, 0, 0, INDENT))
    lines = [Segments(line) for line in console.render_lines(drawn, console.options, new_lines=True)]
    place, start = table.columns.index(table.paths), len(lines) - len(table.rows) - 1
    for line in lines[:start]:
        console.print(line, end="")
    for line, row in zip(lines[start:], table.rows, strict=False):
        console.print(Text(printable(row[place])), soft_wrap=True)
        console.print(line, end="")
    console.print()


def _rich(table: Table, columns: list[str], most: int) -> RichTable:
    """``most``: characters of a word that is kept whole; ``WIDEST``: nothing wraps."""
    title = Text(printable(table.title)) if table.title else None
    shown = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    places = [table.columns.index(name) for name in columns]
    texts = [[printable(row[place]) for row in table.rows] for place in places]
    for name, cells in zip(columns, texts, strict=True):
        is_text = name in table.left
        can_wrap = is_text and name != table.paths and most < WIDEST
        widest = max(map(cell_len, [*cells, name]))
        word = max((cell_len(word) for cell in cells for word in cell.split()), default=0)
        shown.add_column(
            Text(printable(name)),
            justify="left" if is_text else "right",
            overflow="fold",
            no_wrap=not can_wrap,
            min_width=min(widest, max(ROOM, min(word, most))) if can_wrap else widest,
        )
    for number, row in enumerate(zip(*texts, strict=True)):
        styled = [Text(cell, _style(table, number, name, cell)) for name, cell in zip(columns, row, strict=True)]
        shown.add_row(*styled)
    return shown


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
