"""A dataset made of one's own items."""

from collections.abc import Iterator, Mapping

import numpy as np

from sdrun.data.classes import Truth, classes
from sdrun.data.examples import Examples
from sdrun.data.labelled import LINE, ROW, Labelled, Published
from sdrun.data.subsets import for_testing
from sdrun.errors import InputError, require
from sdrun.settings import TEST_SHARE, Item, OwnSettings

WORDS = {"train": "training", "val": "validation", "test": "testing"}


def published(
    settings: OwnSettings, parts: Mapping[str, Examples], items: Mapping[str, np.ndarray], field: str, kind: str
) -> Published:
    """The dataset of ``items`` [N, ...], as networks take those of ``parts``; what is not there is drawn.

    ``field``, ``kind``: what they are called in a batch, and as an ``Item``.
    """
    item = Item(kind, items["train"].shape[1:])
    for part, values in items.items():
        own = Item(kind, values.shape[1:])
        require(own == item, parts[part].place("x"), f"holds {own}, and training {item}; make them alike")
    names, truths = classes(parts)
    labelled = {
        part: Labelled({field: items[part]}, truth.labels, crowd=truth.soft, soft=truth.soft, right=truth.right)
        for part, truth in truths.items()
    }
    train, groups, validation = labelled["train"], _groups(parts["train"]), None
    lines = parts["train"].lines
    called = np.arange(len(train)) if lines is None else lines
    for part in parts.keys() - {"train"}:
        _require_apart(parts["train"], parts[part])
    if "test" in parts:
        test = labelled["test"]
    else:
        drawn, rest = for_testing(train.labels, settings.test_share or TEST_SHARE, groups)
        key = "dataset.test_share" if groups is None else "dataset.group"
        require(len(drawn) > 0, key, f"leaves nothing to test on, of {len(train)} items; see dataset.test_file")
        test, train = train.take(drawn), train.take(rest)
        groups, called = None if groups is None else groups[rest], called[rest]
    if "val" in parts:
        validation, groups = len(train) + np.arange(len(parts["val"])), None
        train = train.joined(labelled["val"])
        called = np.r_[called, len(parts["train"]) + np.arange(len(parts["val"]))]
    return Published(
        train,
        test,
        names,
        item,
        validation=validation,
        groups=groups,
        facts=tuple(_facts(settings, parts, truths["train"])),
        names=called,
        named=ROW if lines is None else LINE,
    )


def _groups(examples: Examples) -> np.ndarray | None:
    """Numbers [N] of what belongs together."""
    if examples.groups is None:
        return None
    is_list = examples.groups.ndim == 1 and examples.groups.dtype.kind in "iubUO"
    require(is_list, examples.place("groups"), "is no list of whole numbers or texts, one for each item")
    return np.unique(examples.groups, return_inverse=True)[1]


def _require_apart(train: Examples, other: Examples) -> None:
    """Raise InputError where a group is in training and in another part."""
    if train.groups is None or other.groups is None:
        return
    is_shared = np.isin(other.groups, train.groups)
    if is_shared.any():
        row = int(is_shared.argmax())
        way_out = "move it to one side, or leave out dataset.group"
        raise InputError(f"{other.at('groups', row)}: {other.groups[row]} is in training, too; {way_out}")


def _facts(settings: OwnSettings, parts: Mapping[str, Examples], truth: Truth) -> Iterator[str]:
    """How the files were read."""
    read = [f"{examples.place('x')} and {examples.names['y']} for {WORDS[part]}" for part, examples in parts.items()]
    share = settings.test_share or TEST_SHARE
    yield "; ".join(read) + f", of which {share:.0%} are drawn for testing" * ("test" not in parts)
    groups = parts["train"].groups
    if groups is not None:
        yield f"{len(np.unique(groups)):,} groups by {settings.group}, each on one side of a split"
    if truth.soft is not None:
        yield "labels are shares of the classes, which networks learn; the largest is what is tested for"
    if truth.right is not None:
        yield "labels are sets of classes, of which any is right"
