"""A finished run's network, to be used: for it, neither Hydra nor the data that it learned from are needed."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from torch import nn

from sdrun import configuration, methods, tasks
from sdrun.context import Context
from sdrun.data.columns import Columns
from sdrun.data.labelled import Labelled, Splits
from sdrun.display import Display
from sdrun.errors import require
from sdrun.experiment import Experiment, Stage
from sdrun.hardware import Hardware, resolve
from sdrun.interrupt import Interrupt
from sdrun.judges.parts import Parts
from sdrun.models.backbone import Features
from sdrun.recorded import load_config
from sdrun.replay import Restored
from sdrun.settings import Device, Item, Settings
from sdrun.storage.folder import RunFolder
from sdrun.storage.place import resuming
from sdrun.task import Task
from sdrun.trees import Tree


@dataclass(frozen=True)
class _Finished:
    """What a finished run says of itself: settings, and what its items are."""

    folder: RunFolder
    settings: Settings
    hardware: Hardware
    item: Item
    classes: list[str]

    def task(self, tested: Columns, num_train: int = 1) -> Task:
        """The run's task with these test items. Of those that it was trained on nothing is known but their number."""
        dataset, num = self.settings.dataset, len(self.classes)
        blank = Labelled(tasks.unseen(dataset).blank(self.item, num_train), np.arange(num_train) % num)
        num_tested = next(iter(tested.values())).shape[0]
        splits = Splits(
            train=blank,
            labelled=np.arange(num_train),
            true_labels=blank.labels,
            names=np.arange(num_train),
            validation=blank.take(np.arange(0)),
            test=Labelled(tested, np.zeros(num_tested, dtype=np.int64)),
            classes=self.classes,
            item=self.settings.model.taken(self.item),
        )
        return tasks.build(dataset, splits, self.hardware, self.folder.kept)

    def stage(self) -> Stage:
        """The stage that the run's recipe gives, whose network has the weights that it had in the end."""
        settings, num_train = self.settings, self.folder.manifest["items"]["num_train"]
        context = Context(
            settings=settings,
            task=self.task(tasks.unseen(settings.dataset).blank(self.item, 1), num_train),
            hardware=self.hardware,
            folder=self.folder,
            record=None,
            display=Display(None),
            interrupt=Interrupt(),
        )
        experiment = Experiment(context, Restored(context, self.folder))
        stage: Stage = methods.recipe(settings.method.name)(settings.method, experiment)
        return stage


@dataclass(frozen=True)
class Trained:
    """The network of a finished run, whose answers are among ``classes``.

    ``temperature``: what its logits are divided by, as validation fitted it; 1 where nothing was fitted. ``stage``: of
    the run, whose network it is; ``run``: what else that says of itself.

    >>> model = sdrun.load("outputs/supervised/digits/20261126-101500-000-42")  # doctest: +SKIP
    >>> model.classes[model.predict(images)[0].argmax()]                        # doctest: +SKIP
    """

    network: nn.Module
    classes: list[str]
    temperature: float
    stage: Stage
    run: _Finished

    def predict(self, items: Iterable[Any]) -> np.ndarray:
        """Calibrated probabilities [N, K] of images [N, C, H, W] uint8 of the run's size, of vectors, or of texts.

        Raises InputError for items of another kind.
        """
        return self._probabilities(self._columns(items))

    def read(self, path: str | Path) -> tuple[list[str], np.ndarray]:
        """Names and calibrated probabilities [N, K] of what is in a file or folder. Raises InputError."""
        dataset, place = self.run.settings.dataset, Path(os.path.expanduser(path))
        require(place.exists(), str(path), "is not there")
        names, columns = tasks.unseen(dataset).read(dataset, self.run.item, place)
        return names, self._probabilities(columns)

    @property
    def task(self) -> Task:
        """The run's, of which the items are blank."""
        return self.run.task(tasks.unseen(self.run.settings.dataset).blank(self.run.item, 1))

    def clean(self, items: Iterable[Any]) -> Tree:
        """Items as ``network`` takes them, on its device."""
        parts = self._parts(self._columns(items))
        return parts.first("test", len(parts.labels["test"]))

    def _columns(self, items: Iterable[Any]) -> Columns:
        columns: Columns = tasks.unseen(self.run.settings.dataset).columns_of(self.run.item, items)
        return columns

    def _parts(self, columns: Columns) -> Parts:
        return Parts(self.run.task(columns), self.run.hardware)

    def _probabilities(self, columns: Columns) -> np.ndarray:
        logits = self._parts(columns).outputs(self.network, "test").cpu().numpy()
        probabilities: np.ndarray = softmax(logits.astype(np.float64) / self.temperature, axis=1)
        return probabilities


def load(run: str | Path, device: str = "cpu") -> Trained:
    """The network of the finished run in the folder ``run``.

    Raises InputError where there is no such run, or its network gives features and no classes.
    """
    folder = RunFolder.open(Path(run))
    folder.require_current("loaded")
    require(folder.status == "completed", str(run), f"is {folder.status}; finish it by: {resuming(folder.path)}")
    settings = configuration.settings_from(load_config(folder))
    kinds = [kind.value for kind in Device]
    require(device in kinds, "device", f"is {device!r}, but must be one of {', '.join(kinds)}")
    asked = replace(settings.hardware, device=Device(device), compile=False, threads=None)
    resolved = resolve(asked)
    hardware = Hardware(resolved, torch.device(resolved.device.value), 0, 1)
    items = folder.manifest.get("items", {})
    lacks = "does not say what its items are; put its manifest.json back from a copy"
    require(items.keys() >= {"kind", "shape", "num_values", "num_train", "classes"}, str(run), lacks)
    item = Item(items["kind"], tuple(items["shape"]), items["num_values"])
    model = settings.model.untrained()
    settings = replace(settings, model=model, hardware=hardware.settings, init_from=None, init_network=None)
    finished = _Finished(folder, settings, hardware, item, items["classes"])
    stage = finished.stage()
    temperature = stage.metrics.get("val/temperature", 1.0)
    trained = Trained(stage.network, finished.classes, temperature, stage, finished)
    one = tasks.unseen(settings.dataset).blank(item, 1)
    with torch.no_grad():
        says = trained.network(trained._parts(one).first("test", 1))
    way = f"fine-tune from it, by: sdrun method=supervised init_from={folder.path} ..."
    require(not isinstance(says, Features), str(run), f"{settings.method.name} gives features and no classes; {way}")
    return trained
