"""Vectors that belong to no dataset, to be predicted."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sdrun.data.arrays import SUFFIXES
from sdrun.data.columns import Columns
from sdrun.data.examples import Examples, without_labels
from sdrun.data.tables import opened
from sdrun.errors import require
from sdrun.settings import DatasetSettings, Item
from sdrun.tasks.vectors.numbers import vectors
from sdrun.tasks.vectors.sources.vectors import VectorFilesSettings
from sdrun.tasks.vectors.table import numbers_in, numbers_of


def columns_of(item: Item, items: Iterable[object]) -> Columns:
    """Vectors [N, D] of as many numbers as the run's. Raises InputError for others."""
    return _columns(item, _examples(np.asarray(items), Path("vectors")))


def read(settings: DatasetSettings, item: Item, path: Path) -> tuple[list[str], Columns]:
    """The array x of a file, or an array in a file of its own, or a table's columns but for its labels."""
    if path.is_dir() or path.suffix in SUFFIXES:
        examples = without_labels(settings, path)
    else:
        examples = _examples(_in_table(settings, path), path)
    return [f"{path}[{number}]" for number in range(len(examples))], _columns(item, examples)


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


def _examples(x: np.ndarray, path: Path) -> Examples:
    return Examples(path, x, x, None, {"x": "x"})


def _columns(item: Item, examples: Examples) -> Columns:
    numbers = vectors(examples)
    (num,) = item.shape
    fault = f"has {numbers.shape[1]} numbers an item, and the run has {num}"
    require(numbers.shape[1] == num, str(examples.path), fault)
    return {"vector": numbers}
