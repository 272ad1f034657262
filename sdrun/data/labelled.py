"""Items with labels, as they are published, and as a run uses them. Imports no torch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from sdrun.settings import Item

if TYPE_CHECKING:
    from sdrun.data.periods import Periods


class Column(Protocol):
    """A field of items that is no array, such as their texts.

    ``pieces``: for each item, bytes that are equal for equal items alone, whatever file they came from.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, index: np.ndarray) -> "Column": ...

    def tobytes(self) -> bytes: ...

    def pieces(self) -> Iterable[bytes]: ...


class Readable(Column, Protocol):
    """A column that stays where it is, such as in files, and is read as it is needed."""

    def read(self, index: np.ndarray) -> np.ndarray:
        """The values [B, ...] of the items at these positions [B]."""


Columns: TypeAlias = Mapping[str, "np.ndarray | Column"]


@dataclass(frozen=True)
class Labelled:
    """Fields of items [N, ...] by name, and labels [N] int64.

    ``crowd``: where several people labelled each item, the share of them [N, K] that chose a class; for judges alone.
    ``soft``: where labels are shares of classes, these [N, K], from which networks learn; ``labels`` are the largest.
    """

    fields: Columns
    labels: np.ndarray
    crowd: np.ndarray | None = None
    soft: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: np.ndarray) -> "Labelled":
        fields = {name: values[index] for name, values in self.fields.items()}
        shares = (None if values is None else values[index] for values in (self.crowd, self.soft))
        return Labelled(fields, self.labels[index], *shares)

    def joined(self, other: "Labelled") -> "Labelled":
        """These items in arrays, and after them those of another part."""

        def both(one: Any, other: Any) -> Any:
            return None if one is None or other is None else np.concatenate([one, other])

        fields = {name: both(values, other.fields[name]) for name, values in self.fields.items()}
        shares = both(self.crowd, other.crowd), both(self.soft, other.soft)
        return Labelled(fields, both(self.labels, other.labels), *shares)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of shapes, content and labels: equal for equal data, whatever file it came from."""
        digest = sha256()
        for values in self.fields.values():
            digest.update(repr(values.shape).encode())
            digest.update(values.tobytes())
        digest.update(self.labels.tobytes())
        for shares in (self.crowd, self.soft):
            if shares is not None:
                digest.update(shares.tobytes())
        return digest.hexdigest()

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
    ``validation``: the positions of those that were published for validation; ``groups`` [N]: numbers of what has to
    stay on one side of a split, such as the frames of one film. ``measured``: settings of the dataset that are found
    in the data where they are not given; ``facts``: what a person should know of how it was read. ``domains``: names of
    those that the field ``domain`` of items tells by number; ``further``: of a stream in files, what is learned from in
    one and what that is judged on, by its number.
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
    further: Callable[[int], tuple[Labelled, Labelled]] | None = None

    @property
    def parts(self) -> dict[str, Labelled]:
        return {"train": self.train, "test": self.test}


@dataclass(frozen=True)
class Splits:
    """The items of a run.

    ``train`` has the labels that it trains on, and ``labelled`` the positions where these may be used;
    ``true_labels`` are for judges alone. ``periods``: of a stream, None where there is none. ``facts``: what a person
    should know of them; ``doubts``: be warned of.
    """

    train: Labelled
    labelled: np.ndarray
    true_labels: np.ndarray
    validation: Labelled
    test: Labelled
    classes: list[str]
    item: Item
    periods: "Periods | None" = None
    facts: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, Labelled]:
        """Of a stream also the ``pool`` of those that its periods are judged on."""
        pool = {"pool": self.periods.pool} if self.periods else {}
        return {"train": self.train, "val": self.validation, "test": self.test, **pool}

    def fingerprints(self) -> dict[str, str]:
        return {name: getattr(self, name).fingerprint for name in ("train", "validation", "test")}

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """Those [N] that a run may know: all that is held out, and -1 where ``train`` has none."""
        labels = {name: part.labels for name, part in self.parts.items()}
        labels["train"] = np.full(len(self.train), -1)
        labels["train"][self.labelled] = self.train.labels[self.labelled]
        return labels

    @cached_property
    def learned(self) -> dict[str, np.ndarray]:
        """What networks may learn of each part: ``labels``, or where these are soft [N, K], 0 where there is none."""
        soft = {name: part.soft for name, part in self.parts.items()}
        return {
            name: self.labels[name] if shares is None else shares * (self.labels[name][:, None] >= 0)
            for name, shares in soft.items()
        }
