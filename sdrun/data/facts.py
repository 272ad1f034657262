"""What a person should know of the items of a run before anything is computed. Imports no torch."""

from collections.abc import Iterator

import numpy as np

from sdrun.data.labelled import Splits

MOST_NAMES = 5
"""Classes that a line names."""
UNEVEN = 3
"""Items of the largest class for each of the smallest, from which on classes are called so."""


def facts(splits: Splits) -> Iterator[str]:
    """Numbers, sizes and classes, a line each."""
    num_train, num_labelled = len(splits.train), len(splits.labelled)
    labels = "" if num_labelled == num_train else f" ({num_labelled:,} with labels)"
    others = f"{len(splits.validation):,} for validation, {len(splits.test):,} for testing"
    yield f"{splits.item}: {num_train:,} for training{labels}, {others}"
    if not len(splits.validation):
        yield "nothing is held out for validation, for dataset.val_size is 0"
    in_class = np.bincount(splits.train.labels[splits.labelled], minlength=len(splits.classes))
    if num_labelled < num_train and in_class.min() < in_class.max():
        yield f"labels of a class: {in_class.min():,} to {in_class.max():,}"
    counts = np.bincount(splits.train.labels, minlength=len(splits.classes))
    least, most = counts.argmin(), counts.argmax()
    sizes = f"{counts[least]:,}" if counts[least] == counts[most] else f"{counts[least]:,} to {counts[most]:,}"
    if splits.train.right is not None:
        num_several = int((splits.train.right.sum(axis=1) > 1).sum())
        sizes = f"several are right of {num_several:,} items for training"
    else:
        sizes = f"{sizes} for training in each"
    yield f"{len(splits.classes)} classes: {_names(splits.classes)}; {sizes}"
    if splits.tasks:
        num_of = np.bincount(splits.task_of("train"), minlength=len(splits.tasks)).tolist()
        each = [f"{title} ({num:,})" for title, num in zip(splits.tasks, num_of, strict=True)]
        yield f"{len(each)} tasks, one after another: {_names(each)}"
    if is_uneven(splits):
        smallest, largest = (f"{splits.classes[place]} has {counts[place]:,}" for place in (least, most))
        ways = "see balanced_accuracy beside accuracy, and optim.class_weights=true"
        yield f"uneven classes: {smallest}, {largest}; {ways}"


def is_uneven(splits: Splits) -> bool:
    """Whether some classes have far fewer training items than others."""
    counts = np.bincount(splits.train.labels, minlength=len(splits.classes))
    return splits.train.right is None and bool(counts.max() >= UNEVEN * counts.min())


def doubts(splits: Splits, left: dict[str, np.ndarray]) -> Iterator[str]:
    """What of the items is not as it should be.

    left: the labels that are left after what each key does, in this order.
    """
    lacking = np.setdiff1d(np.arange(len(splits.classes)), list(left.values())[-1])
    if len(lacking):
        key = next(key for key, labels in left.items() if not np.isin(lacking, labels).all())
        names = _names([splits.classes[number] for number in lacking])
        num = len(splits.classes)
        yield f"{key}: {len(lacking)} of {num} classes have no label to learn from: {names}"
    num_seen = int(np.isin(splits.test.hashes, splits.train.hashes).sum())
    if num_seen:
        yield f"{num_seen:,} of {len(splits.test):,} test items are in training too, exactly the same"


def _names(classes: list[str]) -> str:
    return ", ".join(classes[:MOST_NAMES] + ["..."] * (len(classes) > MOST_NAMES))
