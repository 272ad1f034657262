"""Labels that a person has put right, in a table of comma-separated values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sdrun.data.by_item import opened_items
from sdrun.data.labelled import Published, Splits
from sdrun.errors import require
from sdrun.settings import DatasetSettings

KEY, COLUMN_KEY = "dataset.corrections", "dataset.corrections_column"
GIVEN = "given"
"""The column of what an item was labelled before."""


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
    num, num_other = len(corrections), int((labels != splits.train.labels).sum())
    told = f"{num:,} labels by {settings.corrections}; {num_other:,} for training are others than those given"
    return replace(
        splits,
        certain=np.isin(train, list(corrections)),
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
    by_position: dict[int, _Correction] = {}
    with opened_items(str(settings.corrections), source, KEY) as rows:
        table = rows.table
        of_label = table.place(COLUMN_KEY, settings.corrections_column)
        of_given = table.place(KEY, GIVEN) if GIVEN in table.header else None
        for line, cells in rows:
            if cells[of_label]:
                position = rows.position(line, cells)
                twice = f"{source.named} {str(source.called[position])!r} is there twice; remove one"
                require(position not in by_position, table.at(line), twice)
                was = None if of_given is None else rows.label(line, cells[of_given])
                by_position[position] = _Correction(rows.label(line, cells[of_label]), was, table.at(line))
    needs = f"{settings.corrections} has no {settings.corrections_column} in any row; write the classes that you know"
    require(bool(by_position), KEY, needs)
    return by_position
