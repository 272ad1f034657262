"""Lines of one matter, whose title stands in a column of its own."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 12
"""Columns of a title."""


def tell(console: Console, title: str, text: str) -> None:
    """Print a line; in a terminal it wraps beside its title, elsewhere it is as long as it is."""
    if not console.is_terminal:
        console.print(f"{title:<{WIDTH}} {text}", markup=False)
        return
    grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column(width=WIDTH, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(title), Text(text))
    console.print(grid, soft_wrap=False)
