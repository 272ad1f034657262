"""Classes of items by their labels, as anybody may have written them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sdrun.data.examples import Examples
from sdrun.data.tables import in_order, some
from sdrun.errors import InputError, require

LARGEST = 2**53
EXACT = 1e-3
"""By how much the shares of an item may miss 1."""


@dataclass(frozen=True)
class Truth:
    """Numbers of the classes [N] int64; ``by_class`` [N, K]: their shares, float32, or which of them are right, bool.

    None where a label is one class.
    """

    labels: np.ndarray
    by_class: np.ndarray | None

    @property
    def soft(self) -> np.ndarray | None:
        return None if self.right is not None else self.by_class

    @property
    def right(self) -> np.ndarray | None:
        return self.by_class if self.by_class is not None and self.by_class.dtype == bool else None

    def spread(self, num_classes: int, kind: np.dtype) -> "Truth":
        """With numbers by class, which are 0 and 1 where there were none."""
        return Truth(
            self.labels, np.eye(num_classes, dtype=kind)[self.labels] if self.by_class is None else self.by_class
        )


def classes(parts: Mapping[str, Examples]) -> tuple[list[str], dict[str, Truth]]:
    """Names of the classes of ``train``, and what is true of each part.

    Labels may be whole numbers, texts, shares of all classes [N, K], or 1 for each that is right and 0 for the others.
    Raises InputError that names the file and the row of one that cannot be used.
    """
    train, place = parts["train"], parts["train"].place("y")
    written = {part: _written(examples) for part, examples in parts.items()}
    values, _ = written["train"]
    different = [str(value) for value in np.unique(values)]
    require(len(different) > 1, place, f"all items have the label {different[0]!r}; a classifier needs two")
    if _has_columns(train.y):
        names = [str(number) for number in range(train.y.shape[1])]
    else:
        names = in_order(different, place)
        many = f"has {len(names)} different labels for {len(train)} items; name those of classes, or add items"
        require(len(names) <= len(train) / 2, place, many)
    truths = {part: _truth(parts[part], *of_part, names) for part, of_part in written.items()}
    kinds = {truth.by_class.dtype for truth in truths.values() if truth.by_class is not None}
    several = "holds shares of classes, and another part says which of them are right; write both alike"
    require(len(kinds) < 2, place, several)
    for kind in kinds:
        truths = {part: truth.spread(len(names), kind) for part, truth in truths.items()}
    return names, truths


def _has_columns(y: np.ndarray) -> bool:
    return y.ndim == 2 and y.shape[1] > 1


def _written(examples: Examples) -> tuple[np.ndarray, np.ndarray | None]:
    """What the label of each item is [N], and its shares [N, K] where there are such, or which are right."""
    y = examples.y
    if _has_columns(y):
        return _shared(examples)
    place, kind = examples.place("y"), y.dtype.kind
    is_list = y.ndim == 1 or y.shape == (len(y), 1)
    require(is_list, place, f"is [{', '.join(map(str, y.shape))}]; write a label [N] for each item, or shares [N, K]")
    require(kind in "iubfUO", place, f"holds {y.dtype}; write whole numbers, or texts")
    y = y.reshape(-1)
    if kind == "f":
        is_whole = np.equal(y, np.rint(y)) & (abs(y) < LARGEST)
        _refuse(examples, ~is_whole, lambda row: f"is {y[row]:g}; write a whole number for each class")
        y = y.astype(np.int64)
    if kind == "U":
        _refuse(examples, np.equal(y, ""), lambda row: "is empty; remove such items")
    return y, None


def _shared(examples: Examples) -> tuple[np.ndarray, np.ndarray | None]:
    y, place = examples.y, examples.place("y")
    require(y.dtype.kind in "iubf", place, f"holds {y.dtype} [N, K]; write shares of the classes, as numbers")
    shares = y.astype(np.float64)
    _refuse(examples, np.logical_not(np.isfinite(shares).all(axis=1)), lambda row: "is not finite; remove such items")
    _refuse(examples, shares.min(axis=1) < 0, lambda row: f"holds {shares[row].min():g}; no share is below 0")
    sums = shares.sum(axis=1, keepdims=True)
    if np.isin(shares, (0, 1)).all() and sums.max() > 1:
        _refuse(examples, sums[:, 0] == 0, lambda row: "has no class that is right; each item needs one")
        return shares.argmax(axis=1), shares.astype(bool)
    sum_up = "sums to {:g}; the shares of an item sum to 1"
    _refuse(examples, abs(sums[:, 0] - 1) > EXACT, lambda row: sum_up.format(sums[row, 0]))
    is_sure = (shares.max(axis=1) >= 1 - EXACT).all()
    return shares.argmax(axis=1), None if is_sure else (shares / sums).astype(np.float32)


def _truth(examples: Examples, values: np.ndarray, by_class: np.ndarray | None, names: list[str]) -> Truth:
    """Raises InputError for a class that training lacks."""
    numbers = {name: number for number, name in enumerate(names)}
    different, inverse = np.unique(values, return_inverse=True)
    labels = np.array([numbers.get(str(value), -1) for value in different])[inverse]
    lacks = "no item for training has the label {!r}, only {}; correct it, or remove such items"
    _refuse(examples, labels < 0, lambda row: lacks.format(str(values[row]), some(names)))
    if by_class is not None:
        num, shares = len(names), by_class.shape[1]
        require(shares == num, examples.place("y"), f"holds shares of {shares} classes, and training has {num}")
    return Truth(labels.astype(np.int64), by_class)


def _refuse(examples: Examples, is_wrong: np.ndarray, why: Callable[[int], str]) -> None:
    """Raise InputError for the first item whose label is wrong."""
    if is_wrong.any():
        row = int(is_wrong.argmax())
        raise InputError(f"{examples.at('y', row)}: {why(row)}")
