"""Items of datasets as tasks, which come one after another: whose each is, and what is right. Imports no torch."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from sdrun.data.labelled import TASK, Labelled, Published
from sdrun.errors import require
from sdrun.settings import ClassTasks, DatasetTasks, DomainTasks


def by_classes(source: Published, stream: ClassTasks) -> Published:
    """Some of the classes at a time, numbered anew as they come. Raises InputError where they are others."""
    has_classes = source.train.soft is None and source.train.right is None and source.noisy is None
    require(has_classes, "dataset.stream", "is of classes, and a label here is no single one that is true")
    num = len(source.classes)
    many = f"is {stream.num}, and there are {num} classes; lower it, or set dataset.stream.groups"
    require(stream.groups is not None or stream.num <= num, "dataset.stream.num", many)
    groups = stream.groups or [part.tolist() for part in np.array_split(np.arange(num), stream.num)]
    order = np.concatenate(groups)
    _require_classes("groups", order, num)
    anew, task_of = np.full((2, num), -1)
    anew[order], task_of[order] = np.arange(len(order)), np.repeat(np.arange(len(groups)), [*map(len, groups)])

    def renumbered(part: Labelled) -> Labelled:
        return replace(_of(part, task_of[part.labels]), labels=anew[part.labels], crowd=None)

    titles = tuple(", ".join(source.classes[number] for number in group) for group in groups)
    classes = [source.classes[number] for number in order]
    return _kept(renumbered(source.train), renumbered(source.test), replace(source, classes=classes, tasks=titles))


def by_domains(source: Published, stream: DomainTasks, name: str) -> Published:
    """The domains of the order alone. Raises InputError where the dataset has others."""
    numbers = source.numbers_of(stream.order, name, "choose dataset/stream=classes, or tasks")
    task_of = np.full(len(source.domains), -1)
    task_of[numbers] = np.arange(len(numbers))
    train, test = (_of(part, task_of[part.numbers("domain")]) for part in source.parts.values())
    return _kept(train, test, replace(source, tasks=tuple(stream.order)))


def one_after_another(sources: Sequence[Published], stream: DatasetTasks, names: Sequence[str]) -> Published:
    """The items of several datasets, with classes of their own, or with the first's where these are ``alike``.

    Raises InputError where they do not go together.
    """
    first = sources[0]
    for name, other in zip(names, sources, strict=True):
        differ = f"{name} has {other.item}, and {names[0]} {first.item}; choose datasets of one kind and size"
        require(other.item == first.item, "dataset.stream.then", differ)
        parts = [part for source in (first, other) for part in source.parts.values()]
        are_arrays = all(isinstance(values, np.ndarray) for part in parts for values in part.fields.values())
        require(are_arrays, "dataset.stream.then", f"{name} is no array in memory; choose datasets that are")
        has_classes = other.train.soft is None and other.train.right is None and other.noisy is None
        require(has_classes, "dataset.stream.then", f"a label of {name} is no single class that is true")
        is_free = other.groups is None and other.validation is None
        require(is_free, "dataset.stream.then", f"{name} says itself what stays together or is for validation")
    if stream.alike is None:
        classes = [f"{name}: {title}" for name, source in zip(names, sources, strict=True) for title in source.classes]
        right = np.split(np.eye(len(classes), dtype=bool), np.cumsum([len(source.classes) for source in sources[:-1]]))
    else:
        classes, later = first.classes, zip(names[1:], sources[1:], strict=True)
        right = [np.eye(len(classes), dtype=bool)]
        right += [_alike(stream.alike, len(classes), source, name) for name, source in later]
    whole = dict[str, Labelled]()
    for part in first.parts:
        each = zip(sources, right, strict=True)
        own = [_answered(source.parts[part], of_classes, number) for number, (source, of_classes) in enumerate(each)]
        whole[part] = reduce(Labelled.joined, own)
        if stream.alike is None:
            whole[part] = replace(whole[part], right=None)
    facts = tuple(fact for source in sources for fact in source.facts)
    more = {"measured": first.measured, "facts": facts, "tasks": tuple(names)}
    return Published(whole["train"], whole["test"], classes, first.item, **more)  # type: ignore[arg-type]


def _of(part: Labelled, numbers: np.ndarray) -> Labelled:
    """Items with the number of the task of each, -1 where there is none."""
    return replace(part, fields={**part.fields, TASK: numbers})


def _kept(train: Labelled, test: Labelled, source: Published) -> Published:
    """The source with these parts, without items of no task. Raises InputError where a task is left without any."""
    of_train, of_test = train.numbers(TASK), test.numbers(TASK)
    for verb, of in {"train": of_train, "test": of_test}.items():
        lacking = [title for number, title in enumerate(source.tasks) if number not in of]
        require(not lacking, "dataset.stream", f"{', '.join(lacking)} has nothing to {verb} on; leave it out")
    return replace(source, train=train, test=test).only(of_train >= 0, of_test >= 0)


def _alike(groups: Sequence[Sequence[int]], num: int, source: Published, name: str) -> np.ndarray:
    """Which of the first dataset's ``num`` classes are right for each class of a later one [C, num]."""
    group_of = np.full(max(num, len(source.classes)), -1)
    _require_classes("alike", np.concatenate(groups), len(group_of))
    for number, group in enumerate(groups):
        group_of[group] = number
    own = group_of[: len(source.classes)]
    right = (own[:, None] == group_of[None, :num]) & (own >= 0)[:, None]
    lacking = np.flatnonzero(~right.any(axis=1))
    none = f"has no class of the first dataset for {', '.join(source.classes[row] for row in lacking)} of {name}"
    require(not len(lacking), "dataset.stream.alike", none)
    return right


def _answered(part: Labelled, right: np.ndarray, number: int) -> Labelled:
    """Items of a task; right [C, K]: the classes of the whole that are so for each of the dataset's own."""
    of_items = right[part.labels]
    return _of(Labelled(part.fields, of_items.argmax(axis=1), right=of_items), np.full(len(part), number))


def _require_classes(key: str, numbers: np.ndarray, num: int) -> None:
    strange = next((number for number in numbers if not 0 <= number < num), None)
    require(strange is None, f"dataset.stream.{key}", f"names the class {strange}, and there are 0 to {num - 1}")
