"""Features of all items, computed once, and what of them each seed has."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from sdrun import models, tasks
from sdrun.data.labelled import Published
from sdrun.data.splits import split
from sdrun.errors import require
from sdrun.hardware import Hardware, resolve
from sdrun.judges.judge import Evaluable
from sdrun.judges.parts import Parts
from sdrun.linear.search import Items
from sdrun.settings import DatasetSettings, Item, NoiseKind, Settings
from sdrun.storage.initial import initial

PLACE = "place"
MOST_TESTED = 10_000
CLEAN_LABELS: dict[str, Any] = {"label_noise": 0.0, "label_noise_kind": NoiseKind.symmetric}


@dataclass(frozen=True)
class Frozen:
    """``train`` [N, F] of the items that are published for training, ``test`` [M, F]; ``words``: what they are."""

    train: np.ndarray
    test: np.ndarray
    words: str
    published: Published
    dataset: DatasetSettings

    @classmethod
    def of(cls, settings: Settings) -> "Frozen":
        """Features of the backbone of ``init_from``, or without one what items consist of.

        Raises InputError where these are no numbers, or several classes are right of an item.
        """
        published = tasks.load(settings.dataset)
        dataset = tasks.measured(settings.dataset, published)
        require(dataset.stream is None, "dataset.stream", "changes what there is to learn; leave it out")
        is_single = published.train.right is None and published.train.soft is None
        require(is_single, "dataset.name", f"{dataset.name} has several or no certain class of an item; take another")
        whole = replace(dataset, train_size=None, val_size=0, num_labels=None, labels_per_class=None, **CLEAN_LABELS)
        splits = split(replace(published, validation=None), whole)
        resolved = resolve(settings.hardware)
        hardware = Hardware(resolved, torch.device(resolved.device.value), 0, 1)
        parts = Parts(tasks.build(dataset, replace(splits, item=settings.model.taken(splits.item)), hardware), hardware)
        network, words = _network(settings, parts.splits.item)
        tested = np.arange(min(MOST_TESTED, len(published.test)))
        train, test = (
            parts.outputs(network, *part).cpu().double().numpy() for part in (("train", None), ("test", tested))
        )
        return cls(train, test, words, published, dataset)

    def items(self, seed: int, noise: float) -> tuple[Items, Items, Items]:
        """Those for training, validation and testing as a run of that seed has them, with so much ``label_noise``."""
        own = replace(self.dataset, seed=seed, label_noise=noise)
        splits = split(self._placed, own)
        held_out = splits.validation.numbers(PLACE)
        require(len(held_out) > 0, "dataset.val_size", "is 0, and what is best is chosen by it; hold some items out")
        rows, labelled = splits.train.numbers(PLACE), splits.labelled
        train = Items(self.train[rows[labelled]], splits.train.labels[labelled], splits.true_labels[labelled])
        validation = Items(self.train[held_out], splits.validation.labels, splits.validation.labels)
        truth = self.published.test.labels[: len(self.test)]
        return train, validation, Items(self.test, truth, truth)

    @cached_property
    def _placed(self) -> Published:
        """The dataset, whose items for training know where they are."""
        train = self.published.train
        return replace(self.published, train=replace(train, fields={**train.fields, PLACE: np.arange(len(train))}))


def _network(settings: Settings, item: Item) -> tuple[Evaluable, str]:
    """What gives features, and in words. Raises InputError where items are no numbers."""
    start = initial(settings)
    if start is None:
        needs = f"is missing, and {item.kind} as they are mean nothing in numbers; name a finished run"
        require(item.num_values is None, "init_from", needs)
        return lambda items: items.flatten(1), f"what {item.kind} consist of"
    backbone = models.build(settings.model, item)
    start.load_into(backbone)
    return backbone.eval(), f"features of {start.run}"
