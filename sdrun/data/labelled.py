"""Items with labels, as they are published, and as a run uses them. Imports no torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Protocol, TypeAlias

import numpy as np

from sdrun.data.noise import flip_labels
from sdrun.data.splits import per_class, stratified
from sdrun.randomness import seed_of
from sdrun.settings import DatasetSettings, Item

MOST_NAMES = 10
"""Classes that a warning names."""


class Column(Protocol):
    """A field of items that is no array, such as their texts."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, index: np.ndarray) -> "Column": ...

    def tobytes(self) -> bytes: ...


Columns: TypeAlias = Mapping[str, "np.ndarray | Column"]


@dataclass(frozen=True)
class Labelled:
    """Fields of items [N, ...] by name, and labels [N] int64.

    ``crowd``: where several people labelled each item, the share of them [N, K] that chose a class; for judges alone.
    """

    fields: Columns
    labels: np.ndarray
    crowd: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: np.ndarray) -> "Labelled":
        fields = {name: values[index] for name, values in self.fields.items()}
        return Labelled(fields, self.labels[index], None if self.crowd is None else self.crowd[index])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of shapes, content and labels: equal for equal data, whatever file it came from."""
        digest = sha256()
        for values in self.fields.values():
            digest.update(repr(values.shape).encode())
            digest.update(values.tobytes())
        digest.update(self.labels.tobytes())
        if self.crowd is not None:
            digest.update(self.crowd.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Published:
    """A dataset before it is split: training and test items, names of the classes, and what an item is to a network.

    ``noisy``: by a run's seed, the labels [N] that it has of the training items, where they are not the true ones.
    """

    train: Labelled
    test: Labelled
    classes: list[str]
    item: Item
    noisy: Callable[[int], np.ndarray] | None = None


@dataclass(frozen=True)
class Splits:
    """The items of a run.

    ``train`` has the labels that it trains on, and ``labelled`` the positions where these may be used;
    ``true_labels`` are for judges alone. ``doubt``: what a person should hear of them.
    """

    train: Labelled
    labelled: np.ndarray
    true_labels: np.ndarray
    validation: Labelled
    test: Labelled
    classes: list[str]
    item: Item
    doubt: str | None = None

    @property
    def parts(self) -> dict[str, Labelled]:
        return {"train": self.train, "val": self.validation, "test": self.test}

    def fingerprints(self) -> dict[str, str]:
        return {name: getattr(self, name).fingerprint for name in ("train", "validation", "test")}

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """Those [N] that a run may know: all of ``val`` and ``test``, and -1 where ``train`` has none."""
        train = np.full(len(self.train), -1)
        train[self.labelled] = self.train.labels[self.labelled]
        return {"train": train, "val": self.validation.labels, "test": self.test.labels}


def _doubt(classes: list[str], labels: dict[str, np.ndarray]) -> str | None:
    """What is to be said of classes without a label at the end, by the key that left the first of them out.

    labels: those that are left after what each key does, in this order.
    """
    lacking = np.setdiff1d(np.arange(len(classes)), list(labels.values())[-1])
    if not len(lacking):
        return None
    key = next(key for key, left in labels.items() if not np.isin(lacking, left).all())
    names = [classes[number] for number in lacking[:MOST_NAMES]] + ["..."] * (len(lacking) > MOST_NAMES)
    return f"{key}: {len(lacking)} of {len(classes)} classes have no label to learn from: {', '.join(names)}"


def split(source: Published, settings: DatasetSettings) -> Splits:
    """Hold out validation, take the subset and choose who keeps a label, all stratified by class, and flip labels.

    Everything is drawn by ``settings.seed``.
    """
    labels = source.train.labels
    order = np.arange(len(labels))
    held_out, rest = stratified(order, labels, settings.val_size, seed_of(settings.seed, "validation"))
    seen = {"dataset.name": labels, "dataset.val_size": labels[rest]}
    if settings.train_size is not None:
        rest, _ = stratified(rest, labels, settings.train_size, seed_of(settings.seed, "subset"))
    train = source.train.take(rest)
    given_labels = flip_labels(
        source.noisy(settings.seed)[rest] if source.noisy else train.labels,
        settings.label_noise,
        settings.label_noise_kind,
        len(source.classes),
        seed_of(settings.seed, "label_noise"),
    )
    labelled = np.arange(len(train))
    if settings.num_labels is not None:
        labelled, _ = stratified(labelled, given_labels, settings.num_labels, seed_of(settings.seed, "labels"))
    elif settings.labels_per_class is not None:
        seed = seed_of(settings.seed, "labels")
        labelled = per_class(labelled, given_labels, settings.labels_per_class, len(source.classes), seed)
    seen |= {
        "dataset.train_size": train.labels,
        "dataset.label_noise": given_labels,
        "dataset.num_labels": given_labels[labelled],
    }
    return Splits(
        train=Labelled(train.fields, given_labels, train.crowd),
        labelled=labelled,
        true_labels=train.labels,
        validation=source.train.take(held_out),
        test=source.test,
        classes=source.classes,
        item=source.item,
        doubt=_doubt(source.classes, seen),
    )
