"""Images and labels as they come from a source, and as a run uses them."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from sdrun.datasets.noise import flip_labels
from sdrun.datasets.splits import per_class, stratified
from sdrun.randomness import seed_of
from sdrun.settings import DatasetSettings

MOST_NAMES = 10
"""Classes that a warning names."""


@dataclass(frozen=True)
class Images:
    """images: [N, C, H, W] uint8; labels: [N] int64."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: np.ndarray) -> "Images":
        return Images(self.images[index], self.labels[index])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of shape, pixels and labels: equal for equal data, whatever file it came from."""
        digest = sha256(repr(self.images.shape).encode())
        digest.update(self.images.tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Source:
    """A dataset as published: training and test images, and the names of the classes."""

    train: Images
    test: Images
    classes: list[str]


@dataclass(frozen=True)
class Splits:
    """The images of a run.

    ``train`` has the labels that it trains on, and ``labelled`` the positions where these may be used;
    ``true_labels`` are for evaluation alone. ``doubt``: what a person should hear of them.
    """

    train: Images
    labelled: np.ndarray
    true_labels: np.ndarray
    validation: Images
    test: Images
    classes: list[str]
    doubt: str | None = None

    def fingerprints(self) -> dict[str, str]:
        return {name: getattr(self, name).fingerprint for name in ("train", "validation", "test")}


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


def split(source: Source, settings: DatasetSettings) -> Splits:
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
    given = flip_labels(
        train.labels,
        settings.label_noise,
        settings.label_noise_kind,
        len(source.classes),
        seed_of(settings.seed, "label_noise"),
    )
    labelled = np.arange(len(train))
    if settings.num_labels is not None:
        labelled, _ = stratified(labelled, given, settings.num_labels, seed_of(settings.seed, "labels"))
    elif settings.labels_per_class is not None:
        seed = seed_of(settings.seed, "labels")
        labelled = per_class(labelled, given, settings.labels_per_class, len(source.classes), seed)
    seen |= {
        "dataset.train_size": train.labels,
        "dataset.label_noise": given,
        "dataset.num_labels": given[labelled],
    }
    return Splits(
        train=Images(train.images, given),
        labelled=labelled,
        true_labels=train.labels,
        validation=source.train.take(held_out),
        test=source.test,
        classes=source.classes,
        doubt=_doubt(source.classes, seen),
    )
