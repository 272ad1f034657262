"""What one item of a task is to a network."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ItemCounts:
    """``num`` for training, of which ``num_labelled`` have a label; ``most_right`` classes of one of them are right.

    ``of_tasks``: of each task of a stream what it is called, how many of these have a label, and how many are for
    validation; ``are_apart``: whether no class is of two tasks. ``rarest``: the class with the fewest items that have a
    label, and how many these are.
    """

    num: int
    num_labelled: int
    most_right: int
    of_tasks: list[tuple[str, int, int]]
    are_apart: bool
    rarest: tuple[str, int]


@dataclass(frozen=True)
class Item:
    """``kind`` names what a model must take, such as ``images``; ``shape``: of one item, as a view shows it.

    ``num_values``: of whole numbers, how many different ones there are, 0 standing for nothing; None for real numbers.

    >>> Item("images", (1, 28, 28)).shape
    (1, 28, 28)
    """

    kind: str
    shape: tuple[int, ...]
    num_values: int | None = None

    def __str__(self) -> str:
        return f"{self.kind} of {'x'.join(map(str, self.shape))}" if self.shape else self.kind
