"""The periods of a stream: what is learned from in each, and what it is judged on. Imports no torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from sdrun.randomness import seed_of

if TYPE_CHECKING:
    from sdrun.data.labelled import Labelled

Amounts = dict[str, np.ndarray]

MOST_KEPT = 32
"""Files of which what they are judged on is in memory."""


class Periods(Protocol):
    """``names``, first to last, the one with labels being the first; ``pool``: items that some are judged on.

    ``amounts``: by how much an item drifted, of ``train``, ``val``, ``test`` and each period by name; nothing where no
    item changes.
    """

    @property
    def names(self) -> list[str]: ...

    @property
    def pool(self) -> "Labelled": ...

    @property
    def amounts(self) -> Amounts: ...

    @property
    def has_labels(self) -> bool:
        """Whether periods have some that judges may know."""

    @property
    def smallest(self) -> int | None:
        """Items of the smallest period without labels; None where they are read one by one, when their time comes."""

    def judged(self, name: str) -> "np.ndarray | Labelled":
        """What a period is judged on: positions in the pool, or items of its own."""

    def labels(self, name: str) -> np.ndarray | None:
        """Of these [N]; None where there are none."""

    def learned(self, numbers: Sequence[int]) -> "np.ndarray | Labelled":
        """What is learned from in some periods: positions of training items, or items of their own."""

    def hidden(self, numbers: Sequence[int]) -> np.ndarray | None:
        """The labels of these [N], which judges alone may know; None where there are none."""


@dataclass(frozen=True)
class Cut:
    """The items of a dataset in periods; see ``Periods``.

    ``rows``: positions of the training items of each; ``held_out``: of those in the pool that each is judged on;
    ``true_labels``: of all training items.
    """

    names: list[str]
    rows: list[np.ndarray]
    pool: "Labelled"
    held_out: list[np.ndarray]
    amounts: Amounts
    true_labels: np.ndarray

    has_labels: ClassVar[bool] = True

    @property
    def smallest(self) -> int:
        return min(map(len, self.rows[1:]))

    def judged(self, name: str) -> np.ndarray:
        return self.held_out[self.names.index(name)]

    def labels(self, name: str) -> np.ndarray:
        return self.pool.labels[self.judged(name)]

    def learned(self, numbers: Sequence[int]) -> np.ndarray:
        return np.concatenate([self.rows[number] for number in numbers])

    def hidden(self, numbers: Sequence[int]) -> np.ndarray:
        return self.true_labels[self.learned(numbers)]


@dataclass(frozen=True)
class Filed:
    """Items of their own for each period, read when they are asked for; see ``Periods``.

    ``read``: what is learned from in a file, and what it is judged on, by its number; ``order``: of the file that is
    learned from in each period after the first; ``most``: items that a period is judged on; ``has_labels``: or -1.
    """

    names: list[str]
    pool: "Labelled"
    read: Callable[[int], tuple["Labelled", "Labelled"]]
    order: Sequence[int]
    most: int
    has_labels: bool

    amounts: ClassVar[Amounts] = {}
    smallest: ClassVar[int | None] = None

    def judged(self, name: str) -> "np.ndarray | Labelled":
        number = self.names.index(name)
        return self._judged(number - 1) if number else self._some(len(self.pool), number)

    def labels(self, name: str) -> np.ndarray | None:
        if name != self.names[0] and not self.has_labels:
            return None
        judged = self.judged(name)
        return self.pool.labels[judged] if isinstance(judged, np.ndarray) else judged.labels

    def learned(self, numbers: Sequence[int]) -> "Labelled":
        (number,) = numbers
        return self._both(self.order[number - 1])[0]

    def hidden(self, numbers: Sequence[int]) -> np.ndarray | None:
        return self.learned(numbers).labels if self.has_labels else None

    @cached_property
    def _both(self) -> Callable[[int], tuple["Labelled", "Labelled"]]:
        """Of the file that was read last."""
        return lru_cache(1)(self.read)

    @cached_property
    def _judged(self) -> Callable[[int], "Labelled"]:
        """Of some files, those that are asked for again and again among them."""

        def judged(number: int) -> "Labelled":
            items = self._both(number)[1]
            return items.take(self._some(len(items), number + 1))

        return lru_cache(MOST_KEPT)(judged)

    def _some(self, num: int, period: int) -> np.ndarray:
        """Positions of those that a period is judged on, the same in every run."""
        return np.sort(np.random.default_rng(seed_of("judged", period)).permutation(num)[: self.most])
