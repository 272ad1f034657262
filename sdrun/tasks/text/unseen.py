"""Texts that belong to no dataset, to be predicted."""

from collections.abc import Iterable
from pathlib import Path

from sdrun.data.columns import Columns
from sdrun.data.tables import opened
from sdrun.errors import InputError, require
from sdrun.settings import DatasetSettings, Item
from sdrun.tasks.text.sources.text_csv import TextCSVSettings
from sdrun.tasks.text.texts import Texts


def columns_of(item: Item, items: Iterable[object]) -> Columns:
    """Texts, one a string. Raises InputError for anything else."""
    texts = list(items)
    require(bool(texts), "texts", "are none; give one or more")
    empty = next((number for number, text in enumerate(texts, start=1) if not str(text).strip()), None)
    require(all(isinstance(text, str) for text in texts), "texts", "must be strings")
    require(empty is None, "texts", f"number {empty} is empty; leave it out")
    return {"text": Texts.of(map(str, texts))}


def read(settings: DatasetSettings, item: Item, path: Path) -> tuple[list[str], Columns]:
    """The texts of a table, or the lines of any other file; each is its own name. Raises InputError."""
    require(path.is_file(), str(path), "is no file; name a table, FILE.csv, or a file with a text in each line")
    if path.suffix.lower() == ".csv":
        column, delimiter = "text", "comma"
        if isinstance(settings, TextCSVSettings):
            column, delimiter = settings.text_column, settings.delimiter
        with opened(path, delimiter, str(path)) as rows:
            place = rows.place("dataset.text_column", column)
            texts = [cells[place] for _, cells in rows]
    else:
        try:
            texts = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: is no UTF-8; convert it, such as by: iconv -f LATIN1 -t UTF-8") from error
    require(bool(texts), str(path), "holds no texts")
    return texts, columns_of(item, texts)


def blank(item: Item, num: int) -> Columns:
    """Texts of which nothing is known, in the place of those of training."""
    return {"text": Texts.of(["text"] * num)}
