"""Texts in a table of comma-separated values (RFC 4180) of one's own."""

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from sdrun.data.labelled import LINE, Published
from sdrun.data.subsets import for_testing
from sdrun.data.tables import require_delimiter
from sdrun.errors import InputError, require
from sdrun.settings import TEST_SHARE, DatasetSettings, require_test_share
from sdrun.tasks.text.settings import TextSettings
from sdrun.tasks.text.table import Columns, read_table
from sdrun.tasks.text.texts import TEXTS


@dataclass
class TextCSVSettings(TextSettings):
    """``text_column``, ``label_column``: their names; ``delimiter``: see ``Columns``.

    What is tested on: ``test_share`` of the texts, stratified; or the rows whose ``test_column`` says ``test``, all
    others saying ``train``; or a table of its own, ``test_file``. None of them: a share of 0.2.
    """

    text_column: str
    label_column: str
    delimiter: str
    test_share: float | None
    test_column: str | None
    test_file: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_delimiter(self.delimiter)
        require_test_share(self.test_share)
        ways = {"test_share": self.test_share, "test_column": self.test_column, "test_file": self.test_file}
        for one, other in combinations([f"dataset.{name}" for name, value in ways.items() if value is not None], 2):
            raise InputError(f"{one}: says what is tested on, and so does {other}; give one of them")

    @property
    def columns(self) -> Columns:
        return Columns(self.text_column, self.label_column, self.test_column, self.delimiter)

    @property
    def paths(self) -> dict[str, str | None]:
        return {**super().paths, "test_file": self.test_file}

    def elsewhere(self, root: str) -> DatasetSettings:
        """All of the file is tested on; classes are those of the training texts."""
        return replace(self, test_file=root, test_share=None, test_column=None)


def load(settings: TextCSVSettings) -> Published:
    """Raises InputError that names the file, and the line of it, that cannot be used."""
    require(settings.root is not None, "dataset.root", "is missing; name the table: dataset.root=FILE.csv")
    table = read_table(Path(str(settings.root)).expanduser(), settings.columns, "dataset.root")
    if settings.test_file is not None:
        columns = replace(settings.columns, part=None)
        train, test = table, read_table(Path(settings.test_file).expanduser(), columns, "dataset.test_file")
        is_another = not test.path.samefile(train.path)
        require(is_another, "dataset.test_file", "is dataset.root itself, and would tell of training; name another")
    elif settings.test_column is not None:
        train, test = table.take(~table.is_test), table.take(table.is_test)
    else:
        labels = table.labelled(table.classes()).labels
        drawn, rest = for_testing(labels, settings.test_share or TEST_SHARE)
        train, test = table.take(rest), table.take(drawn)
    classes = train.classes()
    parts = train.labelled(classes), test.labelled(classes)
    return Published(*parts, classes, TEXTS, names=train.lines, named=LINE)
