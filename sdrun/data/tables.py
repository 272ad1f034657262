"""Tables of comma-separated values (RFC 4180) as anybody may have written them: what is wrong is said by line."""

import csv
import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from sdrun.errors import InputError, require

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
MOST_NAMED, LONGEST_NAME = 10, 30
LONGEST_CELL = 2**24
PACKED = (b"\x1f\x8b", b"PK")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def require_delimiter(delimiter: str) -> None:
    """Raise InputError unless it is a character that may stand between cells, or the name of one."""
    is_one = delimiter in DELIMITERS or (len(delimiter) == 1 and delimiter not in '"\r\n')
    words = ", ".join(DELIMITERS)
    require(is_one, "dataset.delimiter", f"is {delimiter!r}, but needs one of {words}, or another character")


@dataclass(frozen=True)
class Rows:
    """What is in an open table. ``header``: the names of its columns."""

    path: Path
    header: list[str]
    delimiter: str
    below: Iterator[tuple[int, list[str]]]

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """The rows in which something stands, and the line at which each begins."""
        is_empty = True
        for line, cells in self.below:
            counts = f"its cells are {len(cells)}, and those of the header {len(self.header)}"
            quoted = f"a text that holds {self.delimiter!r} or a line break stands in quotation marks"
            require(len(cells) == len(self.header), self.at(line), f"{counts}; {quoted}")
            is_empty = False
            yield line, cells
        require(not is_empty, str(self.path), "has no rows below its header")

    def at(self, line: int) -> str:
        """What an error says of where it is."""
        return f"{self.path}, line {line}"

    def place(self, key: str, name: str) -> int:
        """Where a column is. Raises InputError where it is not there, or twice."""
        path, names = self.path, self.header
        for word, delimiter in DELIMITERS.items():
            is_split = len(names) == 1 and name in [cell.strip(' "') for cell in names[0].split(delimiter)] != [name]
            way_out = f"{path} has cells apart by a {word}; set dataset.delimiter={word}"
            require(not is_split, "dataset.delimiter", way_out)
        lacks = f"{path} has no column {name!r} in its first line, the header, only {some(names)}"
        require(name in names, key, f"{lacks}; name the one that is meant")
        require(names.count(name) == 1, key, f"{path} has the column {name!r} twice; rename one")
        return names.index(name)


@contextmanager
def opened(path: Path, delimiter: str, key: str) -> Iterator[Rows]:
    """A table, to be read. ``delimiter``: a character, or its name; ``key``: of the setting that named the file.

    Raises InputError that names the file and the line, or the key, and the way out.
    """
    try:
        require(path.exists(), key, f"{path} is not there; name a table: {key}=FILE.csv")
        require(path.is_file(), key, f"{path} is no file; name a table: {key}=FILE.csv")
        with path.open("rb") as file:
            start = file.read(2)
        require(start not in UTF_16, str(path), "is written as UTF-16; save it as UTF-8")
        require(start not in PACKED, str(path), "is packed, by gzip or zip; unpack it")
        delimiter = DELIMITERS.get(delimiter, delimiter)
        with path.open(encoding="utf-8-sig", newline="") as text:
            lines = _lines(path, text, delimiter)
            _, header = next(lines, (1, []))
            require(bool(header), str(path), "is empty")
            yield Rows(path, [cell.strip() for cell in header], delimiter, lines)
    except OSError as error:
        raise InputError(f"{key}: {error}") from error
    except UnicodeDecodeError as error:
        where = f"{path}, line {_first_undecodable(path)}"
        raise InputError(f"{where}: is no UTF-8; convert it, such as by: iconv -f LATIN1 -t UTF-8") from error


def in_order(labels: Collection[str], where: str) -> list[str]:
    """Different labels, by size where all are numbers and by letter otherwise.

    Raises InputError where two of them are one number.
    """
    try:
        numbers = {label: float(label) for label in labels}
    except ValueError:
        return sorted(labels)
    if not all(map(math.isfinite, numbers.values())):
        return sorted(labels)
    by_size = sorted(numbers, key=lambda label: (numbers[label], label))
    for one, other in pairwise(by_size):
        alike = f"has the labels {one!r} and {other!r}, which are one number; write them alike"
        require(numbers[one] != numbers[other], where, alike)
    return by_size


def some(names: Sequence[str]) -> str:
    """The first names, not too long."""
    shown = [repr(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}...") for name in names[:MOST_NAMED]]
    return ", ".join(shown) + ", ..." * (len(names) > MOST_NAMED)


def _lines(path: Path, file: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows in which something stands, header and all, and the line at which each begins."""
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


def _first_undecodable(path: Path) -> int:
    lines = path.read_bytes().split(b"\n")
    return next(number for number, line in enumerate(lines, start=1) if not _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
