"""Tables of numbers as anybody may have written them: what is wrong is said by line."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from sdrun.data.examples import ROOT, Examples
from sdrun.data.tables import Rows, opened, some
from sdrun.errors import InputError, require

LARGEST = float(np.finfo(np.float32).max)
MISSING = ("", "?", "na", "n/a", "nan", "null", "none")
MOST_SHOWN = 30


def read_table(
    path: Path, delimiter: str, label: str, group: str | None, key: str, wanted: Sequence[str] | None = None
) -> Examples:
    """The rows of a table, whose columns are numbers but for those called ``label`` and ``group``; or those ``wanted``.

    Raises InputError that names the file and the line, or the key, and the way out. ``key``: that named the file.
    """
    require(group != label, "dataset.group", f"is {label}, the column of labels; name another")
    numbers, lines, labels, groups = array("d"), array("q"), list[str](), list[str]()
    same: dict[str, str] = {}  # one text in memory for each label
    with opened(path, delimiter, key) as rows:
        place = of_group = rows.place("dataset.label_column", label)
        if group is not None and (key == ROOT or group in rows.header):
            of_group = rows.place("dataset.group", group)
        columns = numbers_of(rows, (place, of_group), wanted)
        require(bool(columns), str(path), "has no column beside its labels; write one number or more for each row")
        unnamed = "has a column without a name, such as row numbers; remove it (in pandas: to_csv(FILE, index=False))"
        require(all(columns.values()), str(path), unnamed)
        for line, cells in rows:
            written = _filled(cells[place], "label", rows.at(line))
            numbers.extend(numbers_in([cells[at].strip() for at in columns], columns.values(), rows.at(line)))
            labels.append(same.setdefault(written, written))
            groups.append(_filled(cells[of_group], "group", rows.at(line)))
            lines.append(line)
    return Examples(
        path,
        np.frombuffer(numbers, dtype=np.float64).reshape(len(lines), len(columns)),
        np.array(labels, dtype=object),
        None if of_group == place else np.array(groups, dtype=object),
        {"x": f"{len(columns)} columns", "y": label, "groups": str(group)},
        np.frombuffer(lines, dtype=np.int64),
        tuple(columns.values()),
    )


def numbers_of(rows: Rows, others: Collection[int], wanted: Sequence[str] | None) -> dict[int, str]:
    """The columns of numbers by their place: those ``wanted``, or all but ``others``. Raises InputError."""
    if wanted is None:
        return {at: name for at, name in enumerate(rows.header) if at not in others}
    return {rows.place("dataset.columns", name): name for name in wanted}


def _filled(cell: str, what: str, where: str) -> str:
    text = cell.strip()
    require(bool(text), where, f"its {what} is empty; remove such rows")
    return text


def numbers_in(cells: list[str], columns: Iterable[str], where: str) -> list[float]:
    """Raises InputError that names the column whose cell is no number."""
    try:
        numbers = [float(cell) for cell in cells]
        if all(-LARGEST <= number <= LARGEST for number in numbers):
            return numbers
    except ValueError:
        pass
    raise InputError(f"{where}: {next(filter(None, map(_fault, columns, cells)))}")


def _fault(column: str, cell: str) -> str | None:
    """What is wrong with a cell, if anything is."""
    if cell.lower() in MISSING:
        return f"{some([column])} is missing; fill it in, or remove such rows"
    shown = repr(cell[:MOST_SHOWN])
    try:
        is_small = -LARGEST <= float(cell) <= LARGEST
    except ValueError:
        way_out = "write numbers such as 1.5, texts as columns of 0 and 1, or remove the column"
        return f"{some([column])} is {shown}, which is no number; {way_out}"
    return None if is_small else f"{some([column])} is {shown}, which is too large; correct it, or remove such rows"
