"""Feature vectors of one's own in arrays, or a table of numbers."""

from dataclasses import dataclass, replace
from pathlib import Path

from sdrun.data.arrays import SUFFIXES
from sdrun.data.examples import Examples, by_part, in_arrays
from sdrun.data.labelled import Published
from sdrun.data.own import published
from sdrun.data.tables import require_delimiter, some
from sdrun.errors import require
from sdrun.settings import OwnSettings
from sdrun.tasks.vectors.numbers import vectors
from sdrun.tasks.vectors.settings import VectorsSettings
from sdrun.tasks.vectors.table import read_table


@dataclass
class VectorFilesSettings(OwnSettings, VectorsSettings):
    """Of a table: ``label_column`` and ``delimiter``, None for ``label`` and a comma; ``columns``: its numbers, in this
    order, None for all.
    """

    label_column: str | None
    columns: list[str] | None
    delimiter: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delimiter is not None:
            require_delimiter(self.delimiter)


def load(settings: VectorFilesSettings) -> Published:
    """Raises InputError that names the file, and the row or line of it, that cannot be used."""

    def read(path: Path, key: str) -> dict[str, Examples]:
        if path.is_dir() or path.suffix in SUFFIXES:
            _require_unset(settings, ("label_column", "delimiter", "columns"), f"{path}, which is no table")
            return in_arrays(settings, path, key)
        _require_unset(settings, ("x", "y"), f"the table {path}, but for dataset.label_column")
        delimiter, label = settings.delimiter or "comma", settings.label_column or "label"
        return {"train": read_table(path, delimiter, label, settings.group, key, settings.columns)}

    parts = by_part(settings, read)
    columns = parts["train"].columns
    for examples in parts.values():
        differ = f"has the columns {some(examples.columns)}, and training {some(columns)}; make them alike"
        require(examples.columns == columns, str(examples.path), differ)
    items = {part: vectors(own) for part, own in parts.items()}
    measured = {"columns": list(columns)} if columns else {}
    return replace(published(settings, parts, items, "vector", "vectors"), measured=measured)


def _require_unset(settings: VectorFilesSettings, names: tuple[str, ...], where: str) -> None:
    for name in names:
        require(vars(settings)[name] is None, f"dataset.{name}", f"has no effect on {where}")
