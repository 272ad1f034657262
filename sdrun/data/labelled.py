"""Items with labels, as they are published, and as a run uses them. Imports no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from itertools import starmap
from typing import TYPE_CHECKING, Any

import numpy as np

from sdrun.data.columns import Columns
from sdrun.errors import require
from sdrun.settings import Item, ItemCounts

if TYPE_CHECKING:
    from sdrun.data.consensus import Annotations
    from sdrun.data.periods import Periods


TASK = "task"
"""The field of items that tells whose of a stream's tasks each is, by number."""

ROW, LINE, FILE = "row", "line", "file"
"""What a person finds an item by."""


@dataclass(frozen=True)
class Labelled:
    """Fields of items [N, ...] by name, and labels [N] int64.

    ``crowd``: where several people labelled each item, the share of them [N, K] that chose a class; for judges alone.
    ``soft``: where labels are shares of classes, these [N, K], from which networks learn; ``labels`` are the largest.
    ``right``: where several classes may be right, which are [N, K] bool; ``labels`` are one of these.
    """

    fields: Columns
    labels: np.ndarray
    crowd: np.ndarray | None = None
    soft: np.ndarray | None = None
    right: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def numbers(self, field: str) -> np.ndarray:
        """Those [N] of one field."""
        values = self.fields[field]
        assert isinstance(values, np.ndarray)
        return values

    def take(self, index: np.ndarray) -> "Labelled":
        fields = {name: values[index] for name, values in self.fields.items()}
        return Labelled(fields, self.labels[index], *(None if each is None else each[index] for each in self._by_class))

    def joined(self, other: "Labelled") -> "Labelled":
        """These items in arrays, and after them those of another part."""

        def both(one: Any, other: Any) -> Any:
            return None if one is None or other is None else np.concatenate([one, other])

        fields = {name: both(values, other.fields[name]) for name, values in self.fields.items()}
        by_class = starmap(both, zip(self._by_class, other._by_class, strict=True))
        return Labelled(fields, both(self.labels, other.labels), *by_class)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of shapes, content and labels: equal for equal data, whatever file it came from."""
        digest = sha256()
        for values in self.fields.values():
            digest.update(repr(values.shape).encode())
            digest.update(values.tobytes())
        digest.update(self.labels.tobytes())
        for by_class in self._by_class:
            if by_class is not None:
                digest.update(by_class.tobytes())
        return digest.hexdigest()

    @property
    def _by_class(self) -> tuple[np.ndarray | None, ...]:
        return self.crowd, self.soft, self.right

    @cached_property
    def hashes(self) -> np.ndarray:
        """A number for each item [N] that is equal for equal items, of this process alone; labels do not count."""
        items = next(iter(self.fields.values()))
        pieces = (row.tobytes() for row in items) if isinstance(items, np.ndarray) else items.pieces()
        return np.fromiter(map(hash, pieces), np.int64, len(self))


@dataclass(frozen=True)
class Published:
    """A dataset before it is split: training and test items, names of the classes, and what an item is to a network.

    ``noisy``: by a run's seed, the labels [N] that it has of the training items, where they are not the true ones;
    ``annotators``: by that seed, what each of several people said of these, where the dataset knows;
    ``validation``: the positions of those that were published for validation; ``groups`` [N]: numbers of what has to
    stay on one side of a split, such as the frames of one film. ``measured``: settings of the dataset that are found
    in the data where they are not given; ``facts``: what a person should know of how it was read. ``domains``: names of
    those that the field ``domain`` of items tells by number, ``tasks`` those of ``task``; ``further``: of a stream in
    files, what is learned from in one and what that is judged on, by its number. ``names`` [N]: what a person finds the
    training items by in their files, as ``named`` says: a ``file``, a ``line``, or a ``row``, counted from 0.
    """

    train: Labelled
    test: Labelled
    classes: list[str]
    item: Item
    noisy: Callable[[int], np.ndarray] | None = None
    validation: np.ndarray | None = None
    groups: np.ndarray | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    further: Callable[[int], tuple[Labelled, Labelled]] | None = None
    names: np.ndarray | None = None
    named: str = ROW
    annotators: "Callable[[int], Annotations] | None" = None

    @property
    def parts(self) -> dict[str, Labelled]:
        return {"train": self.train, "test": self.test}

    def numbers_of(self, domains: Sequence[str], name: str, way: str) -> list[int]:
        """Those of domains. Raises InputError where the dataset ``name`` has others, or none; ``way``: out of that."""
        require(bool(self.domains), "dataset.stream", f"is of domains, and this dataset knows none; {way}")
        strange = next((name for name in domains if name not in self.domains), None)
        there = f"is {strange!r}, but the domains of dataset={name} are {', '.join(self.domains)}"
        require(strange is None, "dataset.stream.order", there)
        return [self.domains.index(name) for name in domains]

    @property
    def called(self) -> np.ndarray:
        """The names [N] of all training items."""
        return np.arange(len(self.train)) if self.names is None else self.names

    @property
    def strata(self) -> np.ndarray:
        """Numbers of what each training item [N] is to have its share of: its class, of each task by itself."""
        labels = self.train.labels
        return labels + len(self.classes) * self.train.numbers(TASK) if self.tasks else labels

    def only(self, train: np.ndarray, test: np.ndarray) -> "Published":
        """Without those training items [N] and test items [M] that are False."""
        kept, noisy, annotators = np.flatnonzero(train), self.noisy, self.annotators
        validation = None if self.validation is None else np.flatnonzero(np.isin(kept, self.validation))
        return replace(
            self,
            train=self.train.take(kept),
            test=self.test.take(np.flatnonzero(test)),
            noisy=noisy and (lambda seed: noisy(seed)[kept]),
            annotators=annotators and (lambda seed: annotators(seed).of(kept)),
            validation=validation,
            groups=None if self.groups is None else self.groups[kept],
            names=None if self.names is None else self.names[kept],
        )


@dataclass(frozen=True)
class Splits:
    """The items of a run.

    ``train`` has the labels that it trains on, and ``labelled`` the positions where these may be used;
    ``true_labels`` are for judges alone; ``names`` [N] and ``named``: see ``Published``.
    ``annotations``: what each of several people said of items of ``train``, None where nobody was asked; ``certain``
    [N]: which labels a person put right, None where nobody did.
    ``periods``: of a stream whose first alone has labels, None where there is none; ``tasks``: what they are called, of
    a stream of such. ``facts``: what a person should know of them; ``doubts``: be warned of.
    """

    train: Labelled
    labelled: np.ndarray
    true_labels: np.ndarray
    names: np.ndarray
    validation: Labelled
    test: Labelled
    classes: list[str]
    item: Item
    annotations: "Annotations | None" = None
    certain: np.ndarray | None = None
    periods: "Periods | None" = None
    tasks: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    named: str = ROW

    @property
    def parts(self) -> dict[str, Labelled]:
        """Of a stream also the ``pool`` of those that its periods are judged on."""
        pool = {"pool": self.periods.pool} if self.periods else {}
        return {"train": self.train, "val": self.validation, "test": self.test, **pool}

    def fingerprints(self) -> dict[str, str]:
        parts = {"train": self.train, "validation": self.validation, "test": self.test, "annotations": self.annotations}
        return {name: part.fingerprint for name, part in parts.items() if part is not None}

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """Those [N] that a run may know: all that is held out, and -1 where ``train`` has none."""
        labels = {name: part.labels for name, part in self.parts.items()}
        labels["train"] = np.full(len(self.train), -1)
        labels["train"][self.labelled] = self.train.labels[self.labelled]
        return labels

    @cached_property
    def learned(self) -> dict[str, np.ndarray]:
        """What networks may learn of each part: ``labels``; where these are soft, or several are right, [N, K], 0 where
        there is none.
        """
        by_class = {name: part.right if part.soft is None else part.soft for name, part in self.parts.items()}
        return {
            name: self.labels[name] if values is None else values * (self.labels[name][:, None] >= 0)
            for name, values in by_class.items()
        }

    def right(self, name: str) -> np.ndarray:
        """What is right of a part's items: classes [N], or where there are several, which [N, K]."""
        part = self.parts[name]
        return part.labels if part.right is None else part.right

    def task_of(self, name: str) -> np.ndarray:
        """Whose each item [N] of a part is, of a stream of tasks."""
        return self.parts[name].numbers(TASK)

    @cached_property
    def classes_of_tasks(self) -> np.ndarray:
        """Which classes [T, K] there are in each task; of a finished run that is only used, T is 0."""
        members = np.zeros((len(self.tasks), len(self.classes)), dtype=bool)
        for number in range(len(self.tasks)):
            own = self.right("train")[self.task_of("train") == number]
            members[number] = own.any(axis=0) if own.ndim == 2 else np.isin(np.arange(len(self.classes)), own)
        return members

    @property
    def counts(self) -> ItemCounts:
        """How many there are of what settings may ask for."""
        right = self.train.right
        of_tasks = [
            (title, int((self.task_of("train")[self.labelled] == n).sum()), int((self.task_of("val") == n).sum()))
            for n, title in enumerate(self.tasks)
        ]
        most_right = 1 if right is None else int(right.sum(axis=1).max())
        are_apart = bool((self.classes_of_tasks.sum(axis=0) < 2).all())
        sizes = np.bincount(self.train.labels[self.labelled], minlength=len(self.classes))
        rarest = self.classes[int(sizes.argmin())], int(sizes.min())
        return ItemCounts(len(self.train), len(self.labelled), most_right, of_tasks, are_apart, rarest)
