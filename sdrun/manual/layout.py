"""Pages for a person: prose that wraps to the terminal, and commands on lines of their own."""

import re
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from sdrun.settings.words import printable

WIDEST = 100
"""Columns of a page; longer lines are hard to read."""

NARROWEST = 32
"""Columns for the last cell of a row; where fewer are left it stands below the others."""

CODE, HEAD, INDENT = "cyan", "bold", "  "


def page() -> Console:
    """As wide as its terminal, and no wider than is good to read; elsewhere 80 columns, or ``COLUMNS``."""
    console = Console(highlight=False, emoji=False)
    console.width = min(console.width, WIDEST)
    return console


def prose(text: str) -> Text:
    """Text in which double backticks mark what is typed.

    >>> prose("with ``seed=1``, say").plain
    'with seed=1, say'
    """
    parts = re.split("``", printable(text))
    return Text.assemble(*((part, CODE if number % 2 else "") for number, part in enumerate(parts)))


def heading(text: str, console: Console) -> None:
    console.print()
    paragraph(text, console, style=HEAD)


def command(text: str, console: Console, indent: str = INDENT) -> None:
    """On one line, however long, so that it can be copied."""
    console.print(Text(f"{indent}{printable(text)}", CODE), soft_wrap=True)


def paragraph(text: str, console: Console, first: str = "", indent: str = "", style: str = "") -> None:
    """Text that wraps behind ``first``, and below it with an ``indent``."""
    lines = prose(text).wrap(console, max(console.width - len(indent), 1))
    for number, line in enumerate(lines):
        whole = Text(indent if number else first.ljust(len(indent))) + line
        whole.rstrip()
        console.print(whole, style=style, soft_wrap=True)


def rows(cells: Iterable[Sequence[str]], console: Console) -> None:
    """Rows whose last cell wraps; it stands below the others where these leave too little room."""
    every = [[printable(cell) for cell in row] for row in cells]
    if not every:
        return
    *widths, longest = (max(map(len, column)) for column in zip(*every, strict=True))
    indent = INDENT + "".join(" " * (width + 2) for width in widths)
    is_narrow = console.width - len(indent) < min(NARROWEST, longest)
    for *row, last in every:
        first = INDENT + "".join(cell.ljust(width + 2) for cell, width in zip(row, widths, strict=True))
        if is_narrow:
            console.print(Text(INDENT + "  ".join(filter(None, row))), soft_wrap=True)
            if last:
                paragraph(last, console, 3 * INDENT, 3 * INDENT)
        else:
            paragraph(last, console, first, indent)
