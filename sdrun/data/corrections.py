"""Labels that a person has put right, in a table of comma-separated values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sdrun.data.labelled import Published, Splits
from sdrun.data.tables import Rows, opened, some
from sdrun.errors import require
from sdrun.settings import DatasetSettings

KEY, COLUMN_KEY = "dataset.corrections", "dataset.corrections_column"
GIVEN = "given"
"""The column of what an item was labelled before."""
SPECIAL = ("=", "+", "-", "@", "\t", "\r", "'")
"""How cells begin that programs for tables take for formulas, and what is put before these."""


def safe(cell: str) -> str:
    """A cell that no program takes for a formula.

    >>> safe("=1+1"), meant(safe("=1+1")), safe("shirt")
    ("'=1+1", '=1+1', 'shirt')
    """
    return f"'{cell}" if cell.startswith(SPECIAL) else cell


def meant(cell: str) -> str:
    """What was written as a ``safe`` cell."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(SPECIAL) else cell


def corrected(
    splits: Splits, settings: DatasetSettings, source: Published, train: np.ndarray, validation: np.ndarray
) -> Splits:
    """The splits with labels as ``dataset.corrections`` has them, of items for training and for validation.

    train, validation: where these are among the published [N], [M]. Where no label is wrong on purpose, what a person
    says is the truth. Raises InputError where a table is of other data.
    """
    corrections = _read(settings, source)
    labels = _applied(corrections, splits.train.labels, train, source.classes)
    held_out = _applied(corrections, splits.validation.labels, validation, source.classes)
    is_true = bool((splits.train.labels == splits.true_labels).all())
    num_other = int((labels != splits.train.labels).sum())
    told = (
        f"{len(corrections):,} labels by {settings.corrections}; {num_other:,} for training are others than those given"
    )
    return replace(
        splits,
        train=replace(splits.train, labels=labels),
        validation=replace(splits.validation, labels=held_out),
        true_labels=labels if is_true else splits.true_labels,
        facts=(*splits.facts, told),
    )


@dataclass(frozen=True)
class _Correction:
    """``where``: what an error says of its place; ``given``: the class that the item had, None if that is not said."""

    label: int
    given: int | None
    where: str


def _applied(
    corrections: Mapping[int, _Correction], labels: np.ndarray, rows: np.ndarray, classes: list[str]
) -> np.ndarray:
    """A copy of ``labels`` [N] of the items at ``rows`` [N] among the published, put right."""
    labels = labels.copy()
    for place, row in enumerate(rows.tolist()):
        if row in corrections:
            one, now = corrections[row], int(labels[place])
            told = f"says {classes[one.given or 0]!r} is given, but it is {classes[now]!r}"
            ways = "it is of other data, or of another dataset.seed or noise"
            require(one.given in (None, now), one.where, f"{told}; {ways}")
            labels[place] = one.label
    return labels


def _read(settings: DatasetSettings, source: Published) -> dict[int, _Correction]:
    """What ``dataset.corrections`` says, by where items are among those published for training.

    Raises InputError that names the line, or the key, and the way out.
    """
    path = Path(str(settings.corrections)).expanduser()
    number_of = {name: number for number, name in enumerate(source.classes)}
    position_of = {str(name): row for row, name in enumerate(source.called.tolist())}
    by_position: dict[int, _Correction] = {}
    with opened(path, "comma", KEY) as table:
        of_item = table.place(KEY, source.named)
        of_label = table.place(COLUMN_KEY, settings.corrections_column)
        of_given = table.place(KEY, GIVEN) if GIVEN in table.header else None
        for line, cells in table:
            label = meant(cells[of_label].strip())
            if label:
                name = meant(cells[of_item].strip())
                there = f"{source.named} {name!r} is none of the {len(source.train):,} items for training"
                require(name in position_of, table.at(line), there)
                place = position_of[name]
                require(place not in by_position, table.at(line), f"{source.named} {name!r} is there twice; remove one")
                was = None if of_given is None else _class(table, line, cells[of_given], number_of)
                by_position[place] = _Correction(_class(table, line, label, number_of), was, table.at(line))
    needs = f"{path} has no {settings.corrections_column} in any row; write the classes that you know"
    require(bool(by_position), KEY, needs)
    return by_position


def _class(table: Rows, line: int, cell: str, number_of: dict[str, int]) -> int:
    name = meant(cell.strip())
    require(name in number_of, table.at(line), f"{name!r} is no class, but these are: {some(list(number_of))}")
    return number_of[name]
