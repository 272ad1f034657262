"""Datasets that a plugin gives: map-style ones of pairs, such as torchvision's. Imports no torch."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdrun.data.classes import classes
from sdrun.data.examples import Examples
from sdrun.data.labelled import Columns, Labelled, Published
from sdrun.errors import InputError, require
from sdrun.plugins.registry import Registered
from sdrun.settings import DatasetSettings, Item
from sdrun.tasks.images.pixels import moments, pixels
from sdrun.tasks.text.texts import TEXTS, Texts
from sdrun.tasks.vectors.numbers import vectors

PARTS = ("train", "test")
GIVES = "give two datasets, for training and for testing, or a Published"


def published(entry: Registered, settings: DatasetSettings) -> Published:
    """What the plugin's function gives, read into memory. Raises InputError that names what is wrong with it."""
    key = f"dataset={settings.name}"
    values = {name: vars(settings)[name] for name in inspect.signature(entry.function).parameters}
    try:
        gives = entry.function(**values)
        if isinstance(gives, Published):
            return gives
        is_pair = isinstance(gives, tuple | list) and len(gives) == len(PARTS)
        require(is_pair, key, f"the plugin {entry.plugin} gives {type(gives).__name__}; {GIVES}")
        parts = {part: _examples(f"{key}, {part}", dataset) for part, dataset in zip(PARTS, gives, strict=True)}
    except (InputError, OSError):
        raise
    except Exception as error:
        raise InputError(f"{key}: the plugin {entry.plugin} raised {type(error).__name__}: {error}") from error
    names, truths = classes(parts)
    columns, item, measured = _OF_TASK[entry.task](parts)
    train, test = (Labelled(columns[part], truths[part].labels, soft=truths[part].soft) for part in PARTS)
    return Published(train, test, _named(gives[0], names), item, measured=measured)


def _examples(place: str, dataset: Any) -> Examples:
    pairs = [dataset[number] for number in range(len(dataset))]
    require(bool(pairs), place, "holds no items")
    wrong = next((number for number, pair in enumerate(pairs) if not _is_pair(pair)), None)
    require(wrong is None, f"{place}[{wrong}]", "is no pair of an item and its class")
    items = [np.asarray(item) for item, _ in pairs]
    shapes = sorted({item.shape for item in items})
    differ = f"holds items of {shapes[0]} and {shapes[-1]}; make them alike"
    require(len(shapes) == 1, place, differ)
    return Examples(
        Path(place), np.stack(items), np.array([label for _, label in pairs]), None, {"x": "items", "y": "classes"}
    )


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, tuple | list) and len(pair) == 2


def _named(dataset: Any, numbers: list[str]) -> list[str]:
    """The names that a dataset has for its classes, if it has one for each."""
    names: Sequence[Any] = getattr(dataset, "classes", ())
    return list(map(str, names)) if len(names) == len(numbers) else numbers


Adapted = tuple[dict[str, Columns], Item, Mapping[str, Any]]


def _images(parts: Mapping[str, Examples]) -> Adapted:
    images = {part: pixels(examples) for part, examples in parts.items()}
    columns: dict[str, Columns] = {part: {"image": array} for part, array in images.items()}
    return columns, Item("images", images["train"].shape[1:]), moments(images["train"])


def _vectors(parts: Mapping[str, Examples]) -> Adapted:
    arrays = {part: vectors(examples) for part, examples in parts.items()}
    columns: dict[str, Columns] = {part: {"vector": array} for part, array in arrays.items()}
    return columns, Item("vectors", arrays["train"].shape[1:]), {}


def _texts(parts: Mapping[str, Examples]) -> Adapted:
    return {part: {"text": Texts.of(map(str, examples.x))} for part, examples in parts.items()}, TEXTS, {}


_OF_TASK = {"images": _images, "vectors": _vectors, "text": _texts}
