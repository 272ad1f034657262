"""Texts in a table of comma-separated values (RFC 4180) of one's own."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from sdrun.data.labelled import Published
from sdrun.data.splits import stratified
from sdrun.errors import require
from sdrun.settings import DatasetSettings
from sdrun.tasks.text.settings import TextSettings
from sdrun.tasks.text.table import Columns, Table, read_table
from sdrun.tasks.text.texts import TEXTS

TAB = "tab"
TEST_SHARE = 0.2


@dataclass
class TextCSVSettings(TextSettings):
    """``text_column``, ``label_column``: their names; ``delimiter``: one character, or ``tab``.

    What is tested on: ``test_share`` of the texts, stratified; or the rows whose ``test_column`` says ``test``, all
    others saying ``train``; or a table of its own, ``test_file``. None of them: a share of 0.2.
    """

    paths: ClassVar[tuple[str, ...]] = ("root", "test_file")

    text_column: str
    label_column: str
    delimiter: str
    test_share: float | None
    test_column: str | None
    test_file: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        is_one = self.delimiter == TAB or (len(self.delimiter) == 1 and self.delimiter not in '"\r\n')
        require(is_one, "dataset.delimiter", f"is {self.delimiter!r}, but needs one character, or the word {TAB}")
        is_share = self.test_share is None or 0 < self.test_share < 1
        require(is_share, "dataset.test_share", f"must be between 0 and 1, but is {self.test_share}")
        ways = [name for name in ("test_share", "test_column", "test_file") if getattr(self, name) is not None]
        both = f"says what is tested on, and so does dataset.{ways[-1] if ways else ''}; give one of them"
        require(len(ways) < 2, f"dataset.{ways[0] if ways else ''}", both)

    @property
    def columns(self) -> Columns:
        delimiter = "\t" if self.delimiter == TAB else self.delimiter
        return Columns(self.text_column, self.label_column, self.test_column, delimiter)

    def elsewhere(self, root: str) -> DatasetSettings:
        """All of the file is tested on; classes are those of the training texts."""
        return replace(self, test_file=root, test_share=None, test_column=None)


def load(settings: TextCSVSettings) -> Published:
    """Raises InputError that names the file, and the line of it, that cannot be used."""
    require(settings.root is not None, "dataset.root", "is missing; name the table: dataset.root=FILE.csv")
    table = _table(str(settings.root), settings.columns)
    if settings.test_file is not None:
        train, test = table, _table(settings.test_file, replace(settings.columns, part=None))
    else:
        is_test = table.is_test if settings.test_column else _drawn(table, settings.test_share or TEST_SHARE)
        train, test = table.take(~is_test), table.take(is_test)
    classes = train.classes()
    return Published(train.labelled(classes), test.labelled(classes), classes, TEXTS)


def _table(path: str, columns: Columns) -> Table:
    return read_table(Path(path).expanduser(), columns)


def _drawn(table: Table, share: float) -> np.ndarray:
    """Which rows are for testing: a stratified share of them, the same in every run."""
    order, labels = np.arange(len(table)), np.unique(table.labels.astype(str), return_inverse=True)[1]
    test, _ = stratified(order, labels, round(share * len(table)), seed=0)
    return np.isin(order, test)
