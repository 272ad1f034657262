"""Vectors that belong to no dataset, to be predicted."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sdrun.data.arrays import SUFFIXES
from sdrun.data.arrays import opened as opened_arrays
from sdrun.data.examples import Examples
from sdrun.data.labelled import Columns
from sdrun.data.tables import opened
from sdrun.errors import require
from sdrun.settings import DatasetSettings, Item
from sdrun.tasks.vectors.numbers import vectors
from sdrun.tasks.vectors.sources.vectors import VectorFilesSettings
from sdrun.tasks.vectors.table import numbers_in, numbers_of


def columns_of(item: Item, items: Iterable[object]) -> Columns:
    """Vectors [N, D] of as many numbers as the run's. Raises InputError for others."""
    return _columns(item, np.asarray(items), "vectors")


def read(settings: DatasetSettings, item: Item, path: Path) -> tuple[list[str], Columns]:
    """The array x of a file, or an array in a file of its own, or a table's columns but for its labels."""
    if path.suffix == ".npy":
        require(path.is_file(), str(path), "is no file; name one")
        x = np.load(path, allow_pickle=False)
    elif path.is_dir() or path.suffix in SUFFIXES:
        arrays = opened_arrays(path, str(path))
        name = arrays.called({"x"})
        require(name is not None, str(path), f"holds no array x, only {', '.join(arrays.names)}")
        x = arrays[str(name)]
    else:
        x = _in_table(settings, path)
    columns = _columns(item, x, str(path))
    return [f"{path}[{number}]" for number in range(len(x))], columns


def blank(item: Item, num: int) -> Columns:
    """Vectors of which nothing is known, in the place of those of training."""
    return {"vector": np.zeros((num, *item.shape), dtype=np.float32)}


def _in_table(settings: DatasetSettings, path: Path) -> np.ndarray:
    delimiter, others, wanted = "comma", {"label"}, None
    if isinstance(settings, VectorFilesSettings):
        delimiter = settings.delimiter or delimiter
        others, wanted = {settings.label_column or "label", settings.group or ""}, settings.columns
    with opened(path, delimiter, str(path)) as rows:
        columns = numbers_of(rows, [at for at, name in enumerate(rows.header) if name in others], wanted)
        return np.array(
            [numbers_in([cells[at].strip() for at in columns], columns.values(), rows.at(line)) for line, cells in rows]
        )


def _columns(item: Item, x: np.ndarray, place: str) -> Columns:
    numbers = vectors(Examples(Path(place), x, x, None, {"x": "x"}))
    (num,) = item.shape
    require(numbers.shape[1] == num, place, f"has {numbers.shape[1]} numbers an item, and the run has {num}")
    return {"vector": numbers}
