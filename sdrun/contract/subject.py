"""What is held to the contract: a choice of a plugin, and small data to run it on."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sdrun import models, tasks
from sdrun.contract import small
from sdrun.data.labelled import Published
from sdrun.errors import InputError
from sdrun.models.backbone import Backbone
from sdrun.plugins import registry
from sdrun.plugins.registry import Plugin
from sdrun.rooms import packages
from sdrun.settings import Settings
from sdrun.storage.folder import RunFolder

GROUPS = {"method": registry.methods, "model": registry.models, "dataset": registry.datasets}
NUM_TRAIN, NUM_HELD_OUT, NUM_NUMBERS = 60, 30, 8
NUM_EACH = 3
"""Items for training of each class, where there are many classes."""


def choices(plugin: Plugin, group: str) -> list[str]:
    """The names of a plugin's choices of a group. A method in a room needs one of its name."""
    names = [name for name, entry in GROUPS[group].items() if entry.plugin == plugin.name]
    names += [file.stem for file in plugin.conf.glob(f"{group}/*.yaml")] if plugin.conf else []
    names += packages([str(plugin.place / "methods")]) if group == "method" else []
    return sorted(set(names))


@dataclass(frozen=True)
class Subject:
    """``folder``: an empty one, for its runs."""

    plugin: Plugin
    group: str
    name: str
    folder: Path

    @property
    def choice(self) -> str:
        return f"{self.group}={self.name}"

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The overrides of a small run. Raises InputError where there are no data for it."""
        settings = small.settings(self.choice)
        if self.group == "dataset":
            return (self.choice, *self._sizes(settings), "method=supervised", *small.FEW)
        takes = settings.model.takes if self.group == "model" else settings.method.takes or "images"
        further = "method=supervised" if self.group == "model" else self._model(takes)
        return (*self._data(takes), self.choice, *further.split(), *small.FEW)

    @cached_property
    def settings(self) -> Settings:
        return small.settings(*self.asked)

    @cached_property
    def published(self) -> Published:
        return tasks.load(self.settings.dataset)

    @cached_property
    def whole(self) -> RunFolder:
        """A run that nothing stopped."""
        return small.start(self.folder / "whole", self.settings)

    def backbone(self) -> Backbone:
        """Of a model, as its seed alone makes it."""
        torch.manual_seed(0)
        return models.build(self.settings.model, self.published.item)

    def items(self, num: int) -> Tensor:
        """Random items in the form that a model takes."""
        item = self.settings.model.taken(self.published.item)
        random = torch.Generator().manual_seed(0)
        if item.num_values:
            return torch.randint(1, item.num_values, (num, *item.shape), generator=random)
        return torch.randn(num, *item.shape, generator=random)

    def _data(self, kind: str) -> tuple[str, ...]:
        """The choice of a small dataset of such items."""
        sizes = (f"dataset.train_size={NUM_TRAIN}", f"dataset.val_size={NUM_HELD_OUT}")
        if kind == "images":
            return ("dataset=digits", *sizes)
        if kind == "texts":
            return ("dataset=sentences", *sizes)
        if kind == "vectors":
            random, file = np.random.default_rng(0), self.folder / "vectors.npz"
            np.savez(file, x=random.normal(size=(3 * NUM_TRAIN, NUM_NUMBERS)), y=np.arange(3 * NUM_TRAIN) % 3)
            return ("dataset=vectors", f"dataset.root={file}", *sizes)
        for name in choices(self.plugin, "dataset"):
            settings = small.settings(f"dataset={name}")
            if tasks.load(settings.dataset).item.kind == kind:
                return (f"dataset={name}", *self._sizes(settings))
        raise InputError(f"{self.choice}: takes {kind}, of which {self.plugin.name} has no dataset")

    def _sizes(self, settings: Settings) -> tuple[str, ...]:
        """Those of a plugin's dataset, cut down; and a model for it, where it composes with one of another kind."""
        published = tasks.load(settings.dataset)
        num_classes, num = len(published.classes), len(published.train)
        held_out = tasks.measured(settings.dataset, published).val_size or 0
        if published.validation is None:
            held_out = min(held_out, max(NUM_HELD_OUT, num_classes))
        train = min(num - held_out, max(NUM_TRAIN, NUM_EACH * num_classes))
        sizes = (f"dataset.val_size={held_out}", f"dataset.train_size={train}")
        if settings.model.takes == published.item.kind:
            return sizes
        return (*sizes, *self._model(published.item.kind).split())

    def _model(self, kind: str) -> str:
        """The choice of a model that takes such items; nothing where the data choose it themselves."""
        if kind == "images":
            return "model=cnn model.widths=[4,8]"
        for name in choices(self.plugin, "model"):
            if small.settings(f"model={name}").model.takes == kind:
                return f"model={name}"
        return ""
