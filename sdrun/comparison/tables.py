"""Tables as text for a terminal, Markdown or HTML, and how numbers are written in them."""

import csv
import html
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from sdrun.judges.metric import PERCENT, Metric
from sdrun.settings.words import printable


@dataclass
class Table:
    """``rows`` of cells; the columns that ``left`` names are text, the others are numbers. All are shown printable."""

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    left: tuple[str, ...] = ()


def show(table: Table, console: Console) -> None:
    """Print it; what is too wide wraps in a terminal, and stays on its line elsewhere."""
    title = Text(printable(table.title)) if table.title else None
    shown = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        is_text, head = column in table.left, Text(printable(column))
        shown.add_column(head, justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text)
    for row in table.rows:
        shown.add_row(*(Text(printable(cell)) for cell in row))
    console.print(shown)


def console(is_plain: bool = False) -> Console:
    """One as wide as its terminal; a file or pipe gets lines as long as they are."""
    terminal = Console(highlight=False, soft_wrap=False, emoji=False)
    if is_plain or not terminal.is_terminal:
        return Console(highlight=False, width=240, force_terminal=False, emoji=False)
    return terminal


def line(text: str, console: Console, style: str | None = None) -> None:
    """Print a line of text."""
    console.print(printable(text), markup=False, style=style, soft_wrap=True)


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


def p_value(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
