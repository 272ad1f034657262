"""The two lines at the bottom of a terminal that show a run while it is under way. They never wrap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

WIDEST = 24
"""Columns of a bar, at most."""

GAP = 2
"""Columns between two things on a line."""


@dataclass(frozen=True)
class Seen:
    """What there is to see. ``share``: None where there is no bar; ``parts``: of the second line, which drops the last
    of them where it has no room.
    """

    title: str
    share: float | None
    left: str
    parts: Sequence[str]


class Bar:
    """Shows what ``seen`` gives, a few times a second, between ``start`` and ``stop``."""

    def __init__(self, console: Console, seen: Callable[[], Seen | None]) -> None:
        self.console, self.seen = console, seen
        self.live = Live(console=console, transient=True, refresh_per_second=4, get_renderable=self.drawn)

    def start(self) -> None:
        if not self.live.is_started:
            self.live.start(refresh=True)

    def stop(self) -> None:
        self.live.stop()

    def drawn(self) -> RenderableType:
        seen, width = self.seen(), self.console.width
        if seen is None:
            return Group()
        first = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
        first.add_column(no_wrap=True, overflow="ellipsis")
        room = min(WIDEST, width - cell_len(seen.title) - cell_len(seen.left) - 2 * GAP)
        cells: list[RenderableType] = [Text(seen.title), Text(seen.left)]
        if seen.share is not None and room > 0:
            cells.insert(1, ProgressBar(total=1.0, completed=seen.share, width=room))
        for _ in cells[1:]:
            first.add_column(no_wrap=True)
        first.add_row(*cells)
        parts = list(seen.parts)
        while len(parts) > 1 and cell_len(_joined(parts)) > width:
            parts.pop()
        return Group(first, Text(_joined(parts), style="dim", no_wrap=True, overflow="ellipsis"))


def _joined(parts: Sequence[str]) -> str:
    return (GAP * " ").join(parts)
