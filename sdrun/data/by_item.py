"""Tables whose rows are about items, written and read: which item is meant, and which class. Imports no torch."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sdrun.data.labelled import Published
from sdrun.data.tables import Rows, opened, some
from sdrun.errors import require

SPECIAL = ("=", "+", "-", "@", "\t", "\r", "'")
"""How cells begin that programs for tables take for formulas, and what is put before these."""


def safe(cell: str) -> str:
    """A cell that no program takes for a formula.

    >>> safe("=1+1"), meant(safe("=1+1")), safe("shirt")
    ("'=1+1", '=1+1', 'shirt')
    """
    return f"'{cell}" if cell.startswith(SPECIAL) else cell


def written(records: Sequence[Mapping[str, object]]) -> str:
    """Records of the same keys as comma-separated values, with a header."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue()


def meant(cell: str) -> str:
    """What was written as a ``safe`` cell."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(SPECIAL) else cell


@dataclass(frozen=True)
class ItemRows:
    """An open table about items of ``source``. ``key``: of the setting that named its file."""

    table: Rows
    source: Published
    key: str

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Lines, and what is meant by their cells."""
        for line, cells in self.table:
            yield line, [meant(cell.strip()) for cell in cells]

    def lookup(self, cells: list[str]) -> int | None:
        """Where a row's item is among those for training, None where it is none of them."""
        return self._positions.get(cells[self._of_item])

    def position(self, line: int, cells: list[str]) -> int:
        """The same. Raises InputError where it is none of them."""
        position = self.lookup(cells)
        named = f"{self.source.named} {cells[self._of_item]!r}"
        there = f"{named} is none of the {len(self.source.train):,} items for training"
        require(position is not None, self.table.at(line), there)
        assert position is not None
        return position

    def label(self, line: int, cell: str) -> int:
        """The number of a class. Raises InputError where there is none of that name."""
        there = f"{cell!r} is no class, but these are: {some(list(self._numbers))}"
        require(cell in self._numbers, self.table.at(line), there)
        return self._numbers[cell]

    @cached_property
    def _of_item(self) -> int:
        return self.table.place(self.key, self.source.named)

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {str(name): row for row, name in enumerate(self.source.called.tolist())}

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.source.classes)}


@contextmanager
def opened_items(path: str, source: Published, key: str) -> Iterator[ItemRows]:
    """A table about items of ``source``. Raises InputError that names file and line, or ``key``, and the way out."""
    with opened(Path(path).expanduser(), "comma", key) as table:
        yield ItemRows(table, source, key)
