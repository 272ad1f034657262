"""Every folder here is a task, which knows what is learned: ``dataset.task`` names it.

``settings.py`` has the settings of its datasets. ``data.py`` has a function ``load(settings)`` that gives them as they
are published; or ``sources/`` has a module for each dataset with that function, and settings of its own where it needs
others. ``task.py`` has a function ``build`` that puts a run's part of them on a device. A new task is new files and no
edits. Imports no torch.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from sdrun.data.labelled import Labelled, Published, Splits
from sdrun.errors import InputError, require
from sdrun.plugins import registry
from sdrun.rooms import modules, only_subclass, packages, subclasses
from sdrun.settings import DatasetSettings, FilesSettings, TaskSettings

if TYPE_CHECKING:
    from sdrun.data.source import Source
    from sdrun.hardware import Hardware
    from sdrun.task import Task

SPLITTING = (
    "train_size",
    "val_size",
    "num_labels",
    "labels_per_class",
    "label_noise",
    "label_noise_kind",
    "label_noise_matrix",
    "annotations",
    "consensus",
    "corrections",
    "corrections_column",
    "seed",
)
"""Settings that say what a run takes of a dataset, which is read the same whatever they are."""

Keep = Callable[[str, Callable[[], bytes]], bytes]
"""``keep(name, make)``: the content of a file of a run that its task needs, such as a tokenizer; it is made once."""

SOURCES = "sources"

MOST_HELD_OUT = 5000
"""Items for validation, where neither the settings nor the data say how many."""

_loaded: dict[str, Published] = {}


def names() -> list[str]:
    """Names of all tasks. Imports none of them."""
    return packages(__path__)


def settings_class(name: str, dataset: str | None = None) -> type[DatasetSettings]:
    """The settings of a task's datasets, or of the one that has settings of its own."""
    if dataset in registry.datasets and registry.datasets[dataset].task == name:
        return registry.datasets[dataset].settings
    own = subclasses(f"{__name__}.{name}.{SOURCES}.{dataset}", DatasetSettings) if dataset in _sources(name) else []
    return own[0] if own else only_subclass(f"{__name__}.{name}.settings", DatasetSettings)


def own_settings(name: str) -> dict[str, type[DatasetSettings]]:
    """Those datasets of a task that have settings of their own."""
    classes = {dataset: settings_class(name, dataset) for dataset in _sources(name)}
    classes |= {dataset: entry.settings for dataset, entry in registry.datasets.items() if entry.task == name}
    return {dataset: own for dataset, own in classes.items() if own is not settings_class(name)}


def _sources(name: str) -> list[str]:
    """The datasets of a task that have a module of their own."""
    place = f"{__name__}.{name}.{SOURCES}"
    return modules(import_module(place).__path__) if find_spec(place) else []


def _module(settings: DatasetSettings) -> ModuleType:
    """The one with the function ``load``."""
    place, names = f"{__name__}.{settings.task}", _sources(settings.task)
    if not names:
        return import_module(f"{place}.data")
    is_there = settings.name in names
    require(is_there, "dataset.name", f"is {settings.name!r}, but only {', '.join(names)} are known")
    return import_module(f"{place}.{SOURCES}.{settings.name}")


def read(settings: DatasetSettings) -> Published:
    """The dataset that the settings name, read anew. Raises OSError beside what ``load`` raises."""
    if settings.name in registry.datasets:
        from sdrun.tasks.adapted import published

        return published(registry.datasets[settings.name], settings)
    published_there: Published = _module(settings).load(settings)
    return published_there


def load(settings: DatasetSettings) -> Published:
    """The dataset that the settings name; the one loaded last is kept, so that a sweep reads it once.

    Raises InputError that names a missing or broken file and the ways to get it.
    """
    paths = {name: path and os.path.abspath(os.path.expanduser(path)) for name, path in settings.paths.items()}
    key = repr({name: value for name, value in (vars(settings) | paths).items() if name not in SPLITTING})
    if key not in _loaded:
        try:
            published = read(settings)
            if isinstance(settings.stream, FilesSettings):
                from sdrun.tasks.further import further

                published = replace(published, further=further(settings, published))
            elif isinstance(settings.stream, TaskSettings):
                from sdrun.tasks.several import in_tasks

                published = in_tasks(settings, published)
        except OSError as error:
            raise InputError(f"dataset.root: {error}") from error
        _loaded.clear()
        _loaded[key] = published
    return _loaded[key]


def measured(settings: DatasetSettings, published: Published) -> DatasetSettings:
    """The settings, and what the data say where nothing is given: a tenth of the training items for validation."""
    in_data = (
        min(len(published.train) // 10, MOST_HELD_OUT) if published.validation is None else len(published.validation)
    )
    values = {"val_size": in_data, **published.measured}
    own = vars(settings)
    return replace(settings, **{name: value for name, value in values.items() if own[name] is None})


def unseen(settings: DatasetSettings) -> ModuleType:
    """The module that makes items of no dataset: ``columns_of`` values, ``read`` from a file, or ``blank``."""
    place = f"{__name__}.{settings.task}.unseen"
    require(find_spec(place) is not None, "dataset.task", f"{settings.task} says nothing of items of no dataset")
    return import_module(place)


def shown(settings: DatasetSettings, items: Labelled) -> list[bytes | str]:
    """What a person sees of each item: a PNG, or a text; empty where the task has no way to show them."""
    place = f"{__name__}.{settings.task}.shown"
    if find_spec(place) is None:
        return [""] * len(items)
    seen: list[bytes | str] = import_module(place).shown(items)
    return seen


def anew(name: str, make: Callable[[], bytes]) -> bytes:
    """Keeps no file, and makes it each time."""
    return make()


def build(settings: DatasetSettings, splits: Splits, hardware: "Hardware", keep: Keep = anew) -> "Task":
    """The task of a run, on its device. ``splits.item``: the form in which its model takes the items."""
    module = import_module(f"{__name__}.{settings.task}.task")
    contents = dict[str, bytes]()

    def once(name: str, make: Callable[[], bytes]) -> bytes:
        """``keep`` waits for all ranks, and what comes later is asked for by the first alone."""
        if name not in contents:
            contents[name] = keep(name, make)
        return contents[name]

    task: Task = module.build(settings, splits, hardware, once)
    if isinstance(settings.stream, TaskSettings) and settings.stream.flag:
        task = task.flagged(settings.fed(splits.item))
    if isinstance(settings.stream, FilesSettings) and splits.periods:
        task = replace(task, further=partial(_further, module, settings, splits, hardware, once))
    return task.streamed() if splits.periods else task


def _further(
    module: ModuleType, settings: DatasetSettings, splits: Splits, hardware: "Hardware", keep: Keep, items: Labelled
) -> "Source":
    """Items that come later, as those of training are."""
    none, one = np.arange(0), items.take(np.arange(1))
    alone = replace(splits, train=items, labelled=none, validation=one, test=one, periods=None)
    source: Source = module.build(settings, alone, hardware, keep).parts["train"]
    return source
