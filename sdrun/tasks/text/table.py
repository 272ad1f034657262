"""Tables of texts and labels as anybody may have written them: what is wrong is said by line."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdrun.data.labelled import Labelled
from sdrun.data.tables import in_order, opened, some
from sdrun.errors import InputError, require
from sdrun.tasks.text.texts import Texts


@dataclass(frozen=True)
class Columns:
    """What is read of a table: the names of its columns. ``part``: the one that says ``train`` or ``test``, if any.

    ``delimiter``: a character, or its name in ``tables.DELIMITERS``.
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
        names = in_order(set(self.labels.tolist()), str(self.path))
        require(len(names) > 0, str(self.path), "has no texts to train on; see dataset.test_share and its like")
        require(len(names) > 1, str(self.path), f"all texts have the label {names[0]!r}; a classifier needs two")
        require(
            len(names) <= len(self) / 2,
            "dataset.label_column",
            f"{self.path} has {len(names)} different labels for {len(self)} texts; name the column of their classes, "
            "or add texts",
        )
        return names

    def labelled(self, classes: list[str]) -> Labelled:
        """The texts, with the number of each label among ``classes``. Raises InputError for one that is not there."""
        require(len(self) > 0, str(self.path), "has no texts to test with; see dataset.test_share")
        numbers = {name: number for number, name in enumerate(classes)}
        labels = [numbers.get(label, -1) for label in self.labels.tolist()]
        if -1 in labels:
            row = labels.index(-1)
            raise InputError(
                f"{self.path}, line {self.lines[row]}: no training text has the label {self.labels[row]!r}, only "
                f"{some(classes)}; correct it, or remove such rows"
            )
        return Labelled({"text": self.texts}, np.array(labels, dtype=np.int64))


def read_table(path: Path, columns: Columns, key: str) -> Table:
    """Raises InputError that names the file and the line, or the key, and the way out. ``key``: that named the file."""
    lines, labels, is_test = array("q"), list[str](), bytearray()
    same: dict[str, str] = {}  # one text in memory for each label
    with opened(path, columns.delimiter, key) as rows:
        places = [rows.place(f"dataset.{word}", name) for word, name in _named(columns).items()]

        def texts() -> Iterator[str]:
            for line, cells in rows:
                where = rows.at(line)
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


def _can_be_seen(character: str) -> bool:
    return character.isprintable() and not character.isspace()
