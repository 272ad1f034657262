"""Features of all items, computed once, and what of them each seed has."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sdrun import models, tasks
from sdrun.data.labelled import Published
from sdrun.data.noise import noisy
from sdrun.data.splits import split
from sdrun.errors import require
from sdrun.hardware import Hardware
from sdrun.judges.judge import Evaluable
from sdrun.judges.parts import Parts
from sdrun.linear.search import Items
from sdrun.randomness import seed_of
from sdrun.settings import DatasetSettings, Item, NoiseKind, Settings
from sdrun.storage.initial import Initial, initial

PLACE = "place"
CLEAN_LABELS: dict[str, Any] = {"label_noise": 0.0, "label_noise_kind": NoiseKind.symmetric}


@dataclass(frozen=True)
class Frozen:
    """``train`` [N, F] of the items that are published for training, ``test`` [M, F]; ``words``: what they are;
    ``are_learned``: whether by a run.
    """

    train: np.ndarray
    test: np.ndarray
    words: str
    are_learned: bool
    published: Published
    dataset: DatasetSettings

    @classmethod
    def of(cls, settings: Settings) -> "Frozen":
        """Features of the backbone of ``init_from``, or without one what items consist of.

        Raises InputError where these are no numbers, or several classes are right of an item.
        """
        published = tasks.load(settings.dataset)
        dataset = tasks.measured(settings.dataset, published)
        settings = replace(settings, dataset=dataset)
        require(dataset.stream is None, "dataset.stream", "changes what there is to learn; leave it out")
        is_single = published.train.right is None and published.train.soft is None
        require(is_single, "dataset.name", f"{dataset.name} has several or no certain class of an item; take another")
        is_true = published.noisy is None and not dataset.has_annotators
        people = "are what people said, and wrong ones are drawn here of what is true; leave annotations and raters out"
        require(is_true, "dataset", f"the labels {people}")
        settings.check_data(published.item, len(published.train), 1)
        in_use = "is 0, and what is best is chosen by validation; hold some out"
        require(dataset.num_held_out > 0, "dataset.val_size", in_use)
        whole = replace(dataset, train_size=None, val_size=0, num_labels=None, labels_per_class=None, **CLEAN_LABELS)
        splits = split(replace(published, validation=None), whole)
        hardware = Hardware.start(settings.hardware)
        parts = Parts(tasks.build(dataset, replace(splits, item=settings.model.taken(splits.item)), hardware), hardware)
        start = initial(settings)
        network, words = _network(settings, parts.splits.item, start, hardware)
        train, test = (parts.outputs(network, part).cpu().double().numpy() for part in ("train", "test"))
        return cls(train, test, words, start is not None, published, dataset)

    def items(self, seed: int, noise: float) -> tuple[Items, Items, Items]:
        """Those for training, validation and testing as a run of that seed has them, with so much ``label_noise``.

        What a run learned from would be known by its features wherever a split puts it, so where they are of a run, the
        split is that of ``dataset.seed``, and the seed draws the noise alone.
        """
        clean = replace(self.dataset, seed=self.dataset.seed if self.are_learned else seed, **CLEAN_LABELS)
        splits = split(self._placed, clean)
        wrong = replace(self.dataset, **({"label_noise": noise} if noise else CLEAN_LABELS))
        num_classes = len(self.published.classes)
        labels = noisy(splits.train, splits.true_labels, wrong, num_classes, seed_of(seed, "label_noise"))
        rows, held_out, labelled = splits.train.numbers(PLACE), splits.validation.numbers(PLACE), splits.labelled
        train = Items(self.train[rows[labelled]], labels[labelled], splits.true_labels[labelled])
        validation = Items(self.train[held_out], splits.validation.labels, splits.validation.labels)
        truth = self.published.test.labels
        return train, validation, Items(self.test, truth, truth)

    @cached_property
    def _placed(self) -> Published:
        """The dataset, whose items for training know where they are."""
        train = self.published.train
        return replace(self.published, train=replace(train, fields={**train.fields, PLACE: np.arange(len(train))}))


def _network(settings: Settings, item: Item, start: Initial | None, hardware: Hardware) -> tuple[Evaluable, str]:
    """What gives features, and in words. Raises InputError where items are no numbers."""
    if start is None:
        needs = f"is missing, and {item.kind} as they are mean nothing in numbers; name a finished run"
        require(item.num_values is None, "init_from", needs)
        return lambda items: items.flatten(1), f"what {item.kind} consist of"
    backbone = models.build(settings.model, item)
    start.load_into(backbone)
    return hardware.place(backbone).eval(), f"features of {start.run}, on its split"
