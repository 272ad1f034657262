"""Texts that belong to no dataset, to be predicted."""

import csv
from collections.abc import Iterable
from pathlib import Path

from sdrun.data.labelled import Columns
from sdrun.errors import InputError, require
from sdrun.settings import DatasetSettings, Item
from sdrun.tasks.text.sources.text_csv import TextCSVSettings
from sdrun.tasks.text.texts import Texts


def given(item: Item, items: Iterable[object]) -> Columns:
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
    column = settings.text_column if isinstance(settings, TextCSVSettings) else "text"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".csv":
                rows = csv.DictReader(file)
                columns = rows.fieldnames or []
                require(column in columns, str(path), f"has no column {column!r}, only {', '.join(columns)}")
                texts = [row[column] or "" for row in rows]
            else:
                texts = [line for line in map(str.strip, file) if line]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8; convert it, such as by: iconv -f LATIN1 -t UTF-8") from error
    require(bool(texts), str(path), "holds no texts")
    return texts, given(item, texts)


def blank(item: Item, num: int) -> Columns:
    """Texts of which nothing is known, in the place of those of training."""
    return {"text": Texts.of(["text"] * num)}
