"""Streams of tasks, which come one after another, each with its labels."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sdrun.errors import require
from sdrun.settings.checks import require_range
from sdrun.settings.item import Item
from sdrun.settings.stream import (
    DomainSettings,
    DriftSettings,
    FilesSettings,
    FrequencySettings,
    StreamSettings,
)


@dataclass
class TaskSettings(StreamSettings):
    """``flag``: whether a network is told the task of an item, by numbers beside the item's own."""

    word = "task"

    flag: bool

    @property
    @abstractmethod
    def num_tasks(self) -> int: ...

    @property
    def num_periods(self) -> int:
        return self.num_tasks - 1

    def fed(self, item: Item) -> Item:
        if not self.flag:
            return item
        size, *sides = item.shape
        return replace(item, shape=(size + self.num_tasks, *sides))


@dataclass
class ClassTasks(TaskSettings):
    """Some of the classes at a time: ``groups`` of their numbers, or ``num`` of as many each, as they are numbered."""

    num: int
    groups: list[list[int]] | None

    def __post_init__(self) -> None:
        require_range("dataset.stream.num", self.num, 2)
        if self.groups is None:
            return
        require(len(self.groups) > 1, "dataset.stream.groups", "needs two or more, such as [[0,1],[2,3]]")
        require(all(self.groups), "dataset.stream.groups", "has a task without a class; leave it out")
        every = [number for group in self.groups for number in group]
        require(len(set(every)) == len(every), "dataset.stream.groups", "has a class in two tasks; leave it in one")

    @property
    def num_tasks(self) -> int:
        return len(self.groups) if self.groups else self.num


@dataclass
class DomainTasks(TaskSettings):
    """Domains that items of a dataset are from, in the ``order`` of their names."""

    order: list[str]

    def __post_init__(self) -> None:
        require_names("dataset.stream.order", self.order, 2)

    @property
    def num_tasks(self) -> int:
        return len(self.order)


@dataclass
class DatasetTasks(TaskSettings):
    """The dataset, and ``then`` others of the same kind, which are in ``roots``, or in their usual places.

    ``alike``: groups of classes of the first, of which each is right for an item of a later one whose class is of the
    group; None where each dataset has classes of its own.
    """

    then: list[str]
    roots: list[str | None] | None
    alike: list[list[int]] | None

    def __post_init__(self) -> None:
        require_names("dataset.stream.then", self.then, 1)
        is_one_each = self.roots is None or len(self.roots) == len(self.then)
        require(is_one_each, "dataset.stream.roots", "needs a folder for each dataset of dataset.stream.then, or null")
        require(self.alike is None or bool(self.alike), "dataset.stream.alike", "needs groups, such as [[0,2],[1,3]]")
        every = [number for group in self.alike or [] for number in group]
        require(len(set(every)) == len(every), "dataset.stream.alike", "has a class in two groups; leave it in one")

    @property
    def num_tasks(self) -> int:
        return 1 + len(self.then)

    @property
    def paths(self) -> dict[str, str | None]:
        return {f"roots.{number}": root for number, root in enumerate(self.roots or [])}

    def placed(self, paths: Mapping[str, str | None]) -> "DatasetTasks":
        return self if self.roots is None else replace(self, roots=[*paths.values()])


def require_names(key: str, names: list[str], least: int) -> None:
    """Raise InputError unless there are so many names, each once."""
    are_different = len(names) >= least and len(set(names)) == len(names)
    require(are_different, key, f"needs {least} or more names, each once, such as [{','.join('abc'[:least])}]")


STREAMS: dict[str, type[StreamSettings]] = {
    "rotation": DriftSettings,
    "corruption": DriftSettings,
    "class_frequency": FrequencySettings,
    "domains": DomainSettings,
    "files": FilesSettings,
    "tasks": DatasetTasks,
    "classes": ClassTasks,
    "domain_tasks": DomainTasks,
}
"""By kind."""
