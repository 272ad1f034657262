"""Tables as text for a terminal, Markdown or HTML, and how numbers are written in them."""

import csv
import html
import io
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable


@dataclass
class Table:
    """``rows`` of cells; the columns that ``left`` names are text, the others are numbers."""

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    left: tuple[str, ...] = ()


def show(table: Table, console: Console) -> None:
    """Print it; what is too wide wraps in a terminal, and stays on its line elsewhere."""
    shown = RichTable(title=table.title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        is_text = column in table.left
        shown.add_column(column, justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text)
    for row in table.rows:
        shown.add_row(*map(_escaped, row))
    console.print(shown)


def console(is_plain: bool = False) -> Console:
    """One as wide as its terminal; a file or pipe gets lines as long as they are."""
    found = Console(highlight=False, soft_wrap=False)
    if is_plain or not found.is_terminal:
        found = Console(highlight=False, width=240, force_terminal=False)
    return found


def markdown(table: Table) -> str:
    heads = "| " + " | ".join(table.columns) + " |"
    rule = "|" + "|".join("---" if column in table.left else "---:" for column in table.columns) + "|"
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows]
    title = [f"**{table.title}**", ""] if table.title else []
    return "\n".join([*title, heads, rule, *rows])


def html_table(table: Table) -> str:
    def cell(tag: str, text: str, column: str) -> str:
        kind = "" if column in table.left else ' class="number"'
        return f"<{tag}{kind}>{html.escape(text)}</{tag}>"

    heads = "".join(cell("th", column, column) for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(cell("td", text, column) for text, column in zip(row, table.columns, strict=True)) + "</tr>\n"
        for row in table.rows
    )
    caption = f"<caption>{html.escape(table.title)}</caption>" if table.title else ""
    return f"<table>{caption}<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>"


def csv_text(records: list[dict[str, Any]], columns: list[str]) -> str:
    """Records with these keys as comma-separated values, without a newline at the end."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue().rstrip("\n")


def number(metric: str, value: float, signed: bool = False) -> str:
    """A value of a metric: accuracies and shares in percent, others with four digits behind the point."""
    sign = "+" if signed else ""
    return f"{100 * value:{sign}.2f}" if in_percent(metric) else f"{value:{sign}.4f}"


def in_percent(metric: str) -> bool:
    word = metric.rpartition("/")[2]
    return "accuracy" in word or word in ("agreement", "mask", "multiply_adds_share", "share")


def titled(metric: str) -> str:
    return f"{metric}, %" if in_percent(metric) else metric


def p_value(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
