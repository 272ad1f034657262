"""Datasets that a plugin gives: map-style ones of pairs, such as torchvision's. Imports no torch."""

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sdrun.data.classes import classes
from sdrun.data.columns import Columns
from sdrun.data.examples import Examples
from sdrun.data.labelled import Labelled, Published
from sdrun.errors import InputError, require
from sdrun.plugins.registry import Registered
from sdrun.settings import DatasetSettings, Item
from sdrun.tasks.images.pixels import moments, pixels
from sdrun.tasks.text.texts import TEXTS, Texts
from sdrun.tasks.vectors.numbers import vectors

PARTS = ("train", "test")
NAMES = {"x": "items", "y": "classes"}
GIVES = "give two datasets, for training and for testing, or a Published"


def published(entry: Registered, settings: DatasetSettings) -> Published:
    """What the plugin's function gives, read into memory. Raises InputError that names what is wrong with it."""
    key = f"dataset={settings.name}"
    names = list(inspect.signature(entry.function).parameters)
    for name in ("root", "download"):
        is_used = name in names or not vars(settings)[name]
        require(is_used, f"dataset.{name}", f"has no effect with {key}; leave it out")
    values = {name: vars(settings)[name] for name in names}
    if "root" in names and settings.root is not None:
        values["root"] = os.path.expanduser(settings.root)
    try:
        gives = entry.function(**values)
        if isinstance(gives, Published):
            return _measured(gives)
        is_pair = isinstance(gives, tuple | list) and len(gives) == len(PARTS)
        require(is_pair, key, f"the plugin {entry.plugin} gives {type(gives).__name__}; {GIVES}")
        parts = {part: _examples(f"{key}, {part}", dataset) for part, dataset in zip(PARTS, gives, strict=True)}
    except (InputError, OSError):
        raise
    except Exception as error:
        raise InputError(f"{key}: the plugin {entry.plugin} raised {type(error).__name__}: {error}") from error
    names, truths = classes(parts)
    columns, item, measured = _OF_TASK[entry.task](parts)
    train, test = (
        Labelled(columns[part], truths[part].labels, soft=truths[part].soft, right=truths[part].right) for part in PARTS
    )
    return Published(train, test, _named(gives[0], names), item, measured=measured)


def _measured(published: Published) -> Published:
    """With mean and spread of images, where a plugin does not say them."""
    images = published.train.fields.get("image")
    if not isinstance(images, np.ndarray):
        return published
    return replace(published, measured={**moments(images), **published.measured})


def _examples(place: str, dataset: Any) -> Examples:
    pairs = [dataset[number] for number in range(len(dataset))]
    require(bool(pairs), place, "holds no items")
    wrong = next((number for number, pair in enumerate(pairs) if not _is_pair(pair)), None)
    require(wrong is None, f"{place}[{wrong}]", "is no pair of an item and its class")
    labels = np.array([label for _, label in pairs])
    return Examples(Path(place), _stacked(place, [item for item, _ in pairs]), labels, None, NAMES)


def _stacked(place: str, items: list[Any]) -> np.ndarray:
    """Items in one array: texts as objects, for an array of strings has room for the longest in each."""
    if isinstance(items[0], str):
        return np.array(items, dtype=object)
    arrays = [np.asarray(item) for item in items]
    shapes = sorted({array.shape for array in arrays})
    require(len(shapes) == 1, place, f"holds items of {shapes[0]} and {shapes[-1]}; make them alike")
    return np.stack(arrays)


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, tuple | list) and len(pair) == 2


def _named(dataset: Any, labels: list[str]) -> list[str]:
    """The names that a dataset has for classes from 0 on, as torchvision's have; or else the labels themselves."""
    names: Sequence[Any] = getattr(dataset, "classes", ())
    are_numbered = labels == [str(number) for number in range(len(names))]
    return list(map(str, names)) if are_numbered else labels


Adapted = tuple[dict[str, Columns], Item, Mapping[str, Any]]


def _images(parts: Mapping[str, Examples]) -> Adapted:
    images = {part: pixels(examples) for part, examples in parts.items()}
    columns: dict[str, Columns] = {part: {"image": array} for part, array in images.items()}
    return columns, Item("images", _shape(parts, images)), moments(images["train"])


def _vectors(parts: Mapping[str, Examples]) -> Adapted:
    arrays = {part: vectors(examples) for part, examples in parts.items()}
    columns: dict[str, Columns] = {part: {"vector": array} for part, array in arrays.items()}
    return columns, Item("vectors", _shape(parts, arrays)), {}


def _shape(parts: Mapping[str, Examples], arrays: Mapping[str, np.ndarray]) -> tuple[int, ...]:
    """Of an item. Raises InputError where those for testing have another."""
    train, test = (arrays[part].shape[1:] for part in PARTS)
    require(train == test, str(parts["test"].path), f"holds items of {test}, and training of {train}; make them alike")
    return train


def _texts(parts: Mapping[str, Examples]) -> Adapted:
    for examples in parts.values():
        wrong = next((number for number, text in enumerate(examples.x) if not isinstance(text, str)), None)
        require(wrong is None, f"{examples.path}[{wrong}]", "is no text; give strings")
    return {part: {"text": Texts.of(examples.x)} for part, examples in parts.items()}, TEXTS, {}


_OF_TASK = {"images": _images, "vectors": _vectors, "text": _texts}
