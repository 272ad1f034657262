"""How a dataset becomes the items of a run. Imports no torch."""

from dataclasses import replace

import numpy as np

from sdrun.data.annotations import annotated
from sdrun.data.corrections import corrected
from sdrun.data.courses import in_first, streamed
from sdrun.data.facts import doubts, facts
from sdrun.data.labelled import Published, Splits
from sdrun.data.noise import noisy
from sdrun.data.subsets import grouped, per_class, stratified
from sdrun.errors import require
from sdrun.randomness import seed_of
from sdrun.settings import ClassTasks, DatasetSettings, DatasetTasks, UnlabelledSettings


def split(source: Published, settings: DatasetSettings) -> Splits:
    """Hold out validation, take the subset and choose who keeps a label, all stratified by class, and change labels.

    Everything is drawn by ``settings.seed``.
    """
    _require_changeable(source, settings)
    source, annotations = annotated(source, settings)
    labels = source.train.labels
    require(len(source.test) > 0, "dataset.name", "has no items to test on; see dataset.test_share")
    is_first = in_first(settings, source)
    held_out, rest = _held_out(source, settings, is_first)
    seen = {"dataset.name": labels, "dataset.val_size": labels[rest]}
    if settings.train_size is not None:
        num = len(rest)
        require(settings.train_size <= num, "dataset.train_size", f"must be at most {num}, which validation leaves")
        rest, _ = stratified(rest, source.strata, settings.train_size, seed_of(settings.seed, "subset"))
    train = source.train.take(rest)
    given_labels = noisy(
        train,
        source.noisy(settings.seed)[rest] if source.noisy else train.labels,
        settings,
        len(source.classes),
        seed_of(settings.seed, "label_noise"),
    )
    labelled, strata = np.flatnonzero(is_first[rest]), given_labels + (source.strata - labels)[rest]
    if settings.num_labels is not None:
        most = f"must be at most {len(labelled)}, the items of the first domain that validation leaves"
        require(bool(is_first.all()) or settings.num_labels <= len(labelled), "dataset.num_labels", most)
        labelled, _ = stratified(labelled, strata, settings.num_labels, seed_of(settings.seed, "labels"))
    elif settings.labels_per_class is not None:
        seed, num = seed_of(settings.seed, "labels"), len(source.classes) * max(1, len(source.tasks))
        labelled = per_class(labelled, strata, settings.labels_per_class, num, seed)
    seen |= {
        "dataset.train_size": train.labels,
        "dataset.label_noise": given_labels,
        "dataset.num_labels": given_labels[labelled],
    }
    splits = Splits(
        train=replace(train, labels=given_labels),
        labelled=labelled,
        true_labels=train.labels,
        names=source.called[rest],
        named=source.named,
        validation=source.train.take(held_out),
        test=source.test,
        classes=source.classes,
        item=source.item,
        annotations=annotations and annotations.of(rest),
        tasks=source.tasks,
        facts=source.facts,
    )
    if settings.corrections:
        splits = corrected(splits, settings, source, rest, held_out)
    if isinstance(settings.stream, UnlabelledSettings):
        splits = streamed(splits, settings, source)
    return replace(splits, facts=(*facts(splits), *splits.facts), doubts=tuple(doubts(splits, seen)))


def _require_changeable(source: Published, settings: DatasetSettings) -> None:
    """Raise InputError where labels are to become others that cannot."""
    changes = {
        "dataset.label_noise": settings.label_noise > 0,
        "dataset.label_noise_matrix": settings.label_noise_matrix is not None,
        "dataset.annotations" if settings.annotations else "dataset.raters": settings.has_annotators,
        "dataset.corrections": settings.corrections is not None,
    }
    is_hard = source.train.soft is None and source.train.right is None
    are = "shares" if source.train.right is None else "sets"
    is_within = not isinstance(settings.stream, ClassTasks | DatasetTasks)
    for key in (key for key, is_set in changes.items() if is_set):
        require(is_hard, key, f"changes classes, and these labels are {are} of classes; leave it out")
        require(is_within, key, "changes classes of one task to those of another; leave it out")


def _held_out(source: Published, settings: DatasetSettings, is_first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions for validation, out of those that ``is_first`` [N] allows, and all others.

    Raises InputError where groups are too large to be split.
    """
    num, order = settings.num_held_out, np.arange(len(source.train))
    if source.validation is not None and num:
        same = f"the data hold {len(source.validation)} items for validation; leave it out, or set it to 0"
        require(num == len(source.validation), "dataset.val_size", same)
        return source.validation, np.setdiff1d(order, source.validation)
    labels, seed = source.strata, seed_of(settings.seed, "validation")
    few = f"leaves nothing of the {is_first.sum():,} items of the first domain; make it smaller"
    require(bool(is_first.all() or num < is_first.sum()), "dataset.val_size", few)
    if source.groups is None:
        held_out, _ = stratified(order[is_first], labels, num, seed)
        return held_out, np.setdiff1d(order, held_out)
    held_out, rest = grouped(source.groups, labels, num, seed)
    too_large = f"no group is small enough to be held out whole, with dataset.val_size={num}; make that larger"
    require(len(held_out) > 0 or num == 0, "dataset.group", too_large)
    return held_out, rest
