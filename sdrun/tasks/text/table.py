"""Tables of texts and labels as anybody may have written them: what is wrong is said by line."""

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import numpy as np

from sdrun.data.labelled import Labelled
from sdrun.errors import InputError, require
from sdrun.tasks.text.texts import Texts

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
MOST_NAMED, LONGEST_NAME = 10, 30
LONGEST_CELL = 2**24
PACKED = (b"\x1f\x8b", b"PK")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Columns:
    """What is read of a table: the names of its columns. ``part``: the one that says ``train`` or ``test``, if any.

    ``delimiter``: a character, or its name in ``DELIMITERS``.
    """

    text: str
    label: str
    part: str | None
    delimiter: str


@dataclass(frozen=True)
class Table:
    """``lines`` [N]: where in the file each row begins; ``labels`` [N]: as they are written; ``is_test`` [N]."""

    path: Path
    texts: Texts
    labels: np.ndarray
    lines: np.ndarray
    is_test: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: np.ndarray) -> "Table":
        return Table(self.path, self.texts[index], self.labels[index], self.lines[index], self.is_test[index])

    def classes(self) -> list[str]:
        """The different labels: by size where all are numbers, by letter otherwise.

        Raises InputError where they are no classes that a network could tell apart.
        """
        names = self._in_order(set(self.labels.tolist()))
        require(len(names) > 0, str(self.path), "has no texts to train on; see dataset.test_share and its like")
        require(len(names) > 1, str(self.path), f"all texts have the label {names[0]!r}; a classifier needs two")
        require(
            len(names) <= len(self) / 2,
            "dataset.label_column",
            f"{self.path} has {len(names)} different labels for {len(self)} texts; name the column of their classes, "
            "or add texts",
        )
        return names

    def _in_order(self, labels: set[str]) -> list[str]:
        try:
            numbers = {label: float(label) for label in labels}
        except ValueError:
            return sorted(labels)
        by_size = sorted(labels, key=lambda label: (numbers[label], label))
        for one, other in pairwise(by_size):
            is_other = numbers[one] != numbers[other]
            alike = f"has the labels {one!r} and {other!r}, which are one number; write them alike"
            require(is_other, str(self.path), alike)
        return by_size

    def labelled(self, classes: list[str]) -> Labelled:
        """The texts, with the number of each label among ``classes``. Raises InputError for one that is not there."""
        require(len(self) > 0, str(self.path), "has no texts to test with; see dataset.test_share")
        numbers = {name: number for number, name in enumerate(classes)}
        labels = [numbers.get(label, -1) for label in self.labels.tolist()]
        if -1 in labels:
            row = labels.index(-1)
            raise InputError(
                f"{self.path}, line {self.lines[row]}: no training text has the label {self.labels[row]!r}, only "
                f"{_some(classes)}; correct it, or remove such rows"
            )
        return Labelled({"text": self.texts}, np.array(labels, dtype=np.int64))


def read_table(path: Path, columns: Columns, key: str) -> Table:
    """Raises InputError that names the file and the line, or the key, and the way out. ``key``: that named the file."""
    try:
        require(path.exists(), key, f"{path} is not there; name a table: {key}=FILE.csv")
        require(path.is_file(), key, f"{path} is no file; name a table: {key}=FILE.csv")
        with path.open("rb") as file:
            start = file.read(2)
        require(start not in UTF_16, str(path), "is written as UTF-16; save it as UTF-8")
        require(start not in PACKED, str(path), "is packed, by gzip or zip; unpack it")
        with path.open(encoding="utf-8-sig", newline="") as text:
            return _read(path, text, columns)
    except OSError as error:
        raise InputError(f"{key}: {error}") from error
    except UnicodeDecodeError as error:
        where = f"{path}, line {_first_undecodable(path)}"
        raise InputError(f"{where}: is no UTF-8; convert it, such as by: iconv -f LATIN1 -t UTF-8") from error


def _read(path: Path, file: TextIO, columns: Columns) -> Table:
    delimiter = DELIMITERS.get(columns.delimiter, columns.delimiter)
    rows = _rows(path, file, delimiter)
    _, header = next(rows, (1, []))
    require(bool(header), str(path), "is empty")
    places = [_place(path, header, key, name) for key, name in _named(columns).items()]
    lines, labels, is_test = array("q"), list[str](), bytearray()
    same: dict[str, str] = {}  # one text in memory for each label

    def texts() -> Iterator[str]:
        for line, cells in rows:
            where = f"{path}, line {line}"
            counts = f"its cells are {len(cells)}, and those of the header {len(header)}"
            quoted = f"a text that holds {delimiter!r} or a line break stands in quotation marks"
            require(len(cells) == len(header), where, f"{counts}; {quoted}")
            text, label, *part = (cells[place] for place in places)
            label, part = label.strip(), [cell.strip() for cell in part]
            require(any(map(_can_be_seen, text)), where, "its text is empty; remove such rows")
            require(bool(label), where, "its label is empty; remove such rows")
            says = f"{columns.part} is {''.join(part)!r}; write train or test, or remove such rows"
            require(part in ([], ["train"], ["test"]), where, says)
            lines.append(line)
            labels.append(same.setdefault(label, label))
            is_test.append(part == ["test"])
            yield text

    read = Texts.of(texts())
    require(len(read) > 0, str(path), "has no rows below its header")
    return Table(
        path,
        read,
        np.array(labels, dtype=object),
        np.frombuffer(lines, dtype=np.int64),
        np.frombuffer(bytes(is_test), dtype=bool),
    )


def _named(columns: Columns) -> dict[str, str]:
    named = {"text_column": columns.text, "label_column": columns.label}
    return named if columns.part is None else {**named, "test_column": columns.part}


def _rows(path: Path, file: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows in which something stands, and the line at which each begins."""
    csv.field_size_limit(LONGEST_CELL)
    reader, line = csv.reader(file, delimiter=delimiter, strict=True), 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{path}, line {line}: quotation marks are broken ({error}); a text with quotation marks stands in "
                'them, and has its own twice: "a ""good"" day"'
            ) from error
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _place(path: Path, header: list[str], key: str, name: str) -> int:
    """Where a column is. Raises InputError where it is not there, or twice."""
    names = [cell.strip() for cell in header]
    for word, delimiter in DELIMITERS.items():
        is_split = len(names) == 1 and name in [cell.strip(' "') for cell in names[0].split(delimiter)] != [name]
        require(not is_split, "dataset.delimiter", f"{path} has cells apart by a {word}; set dataset.delimiter={word}")
    require(
        name in names,
        f"dataset.{key}",
        f"{path} has no column {name!r} in its first line, the header, only {_some(names)}; name the one that is meant",
    )
    require(names.count(name) == 1, f"dataset.{key}", f"{path} has the column {name!r} twice; rename one")
    return names.index(name)


def _some(names: list[str]) -> str:
    """The first names, not too long."""
    shown = [repr(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}...") for name in names[:MOST_NAMED]]
    return ", ".join(shown) + ", ..." * (len(names) > MOST_NAMED)


def _can_be_seen(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def _first_undecodable(path: Path) -> int:
    lines = path.read_bytes().split(b"\n")
    return next(number for number, line in enumerate(lines, start=1) if not _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
