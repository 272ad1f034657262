"""Files that come one after another, each a period of a stream: read like the dataset itself. Imports no torch."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from sdrun import tasks
from sdrun.data.labelled import Labelled, Published
from sdrun.data.subsets import for_testing
from sdrun.errors import InputError, require
from sdrun.settings import TEST_SHARE, DatasetSettings, FilesSettings

NONE = -1
"""The label of an item that has none."""


def further(settings: DatasetSettings, published: Published) -> Callable[[int], tuple[Labelled, Labelled]]:
    """See ``Published.further``. What that returns raises InputError that names a file which cannot be used."""
    stream, measured = settings.stream, tasks.measured(settings, published)
    assert isinstance(stream, FilesSettings)
    root = Path(os.path.expanduser(str(settings.root))).absolute()
    is_apart = root not in [path.absolute() for path in stream.places]
    own = "has dataset.root among its files, which are periods; move that, or name the others by dataset.stream.files"
    require(is_apart, "dataset.stream.folder", own)

    def read(number: int) -> tuple[Labelled, Labelled]:
        path = stream.places[number]
        require(path.exists(), str(path), "is not there; put it back")
        try:
            return _labelled(path, measured, published) if stream.labelled else _unlabelled(path, measured, published)
        except (InputError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(reason if str(path) in reason else f"{path}: {reason}") from error

    return read


def _labelled(path: Path, settings: DatasetSettings, published: Published) -> tuple[Labelled, Labelled]:
    other = tasks.read(settings.alone(str(path)))
    require(other.item == published.item, str(path), f"holds {other.item}, and dataset.root {published.item}")
    strange = next((name for name in other.classes if name not in published.classes), None)
    require(strange is None, str(path), f"holds the class {strange!r}, which no labelled item is of; leave it out")
    numbers = np.array([published.classes.index(name) for name in other.classes])
    train, test = (
        replace(part, labels=numbers[part.labels], soft=None, crowd=None, right=None)
        for part in (other.train, other.test)
    )
    return train, test


def _unlabelled(path: Path, settings: DatasetSettings, published: Published) -> tuple[Labelled, Labelled]:
    _, columns = tasks.unseen(settings).read(settings, published.item, path)
    num = next(iter(columns.values())).shape[0]
    items = Labelled(columns, np.full(num, NONE))
    test, train = for_testing(np.zeros(num, dtype=int), TEST_SHARE)
    return items.take(train), items.take(test)
