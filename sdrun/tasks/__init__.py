"""Every folder here is a task, which knows what is learned: ``dataset.task`` names it.

``settings.py`` has the settings of its datasets, ``data.py`` a function ``load(settings)`` that gives them as they are
published, and ``task.py`` a function ``build`` that puts a run's part of them on a device. A new task is new files and
no edits. Imports no torch.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

from sdrun.data.labelled import Published, Splits
from sdrun.errors import InputError
from sdrun.rooms import only_subclass, packages
from sdrun.settings import DatasetSettings

if TYPE_CHECKING:
    from sdrun.hardware import Hardware
    from sdrun.task import Task

SPLITTING = ("train_size", "val_size", "num_labels", "labels_per_class", "label_noise", "label_noise_kind", "seed")
"""Settings that say what a run takes of a dataset, which is read the same whatever they are."""

_loaded: dict[str, Published] = {}


def names() -> list[str]:
    """Names of all tasks. Imports none of them."""
    return packages(__path__)


def settings_class(name: str) -> type[DatasetSettings]:
    """The settings of a task's datasets."""
    return only_subclass(f"{__name__}.{name}.settings", DatasetSettings)


def load(settings: DatasetSettings) -> Published:
    """The dataset that the settings name; the one loaded last is kept, so that a sweep reads it once.

    Raises InputError that names a missing or broken file and the ways to get it.
    """
    root = settings.root and os.path.abspath(os.path.expanduser(settings.root))
    key = repr({**{name: value for name, value in vars(settings).items() if name not in SPLITTING}, "root": root})
    if key not in _loaded:
        try:
            published = import_module(f"{__name__}.{settings.task}.data").load(settings)
        except OSError as error:
            raise InputError(f"dataset.root: {error}") from error
        _loaded.clear()
        _loaded[key] = published
    return _loaded[key]


def build(settings: DatasetSettings, splits: Splits, hardware: "Hardware") -> "Task":
    """The task of a run, on its device."""
    task: Task = import_module(f"{__name__}.{settings.task}.task").build(settings, splits, hardware)
    return task
