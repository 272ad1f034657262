"""What one item of a task is to a network."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """``kind`` names what a model must take, such as ``images``; ``shape``: of one item, as a view shows it.

    >>> Item("images", (1, 28, 28)).shape
    (1, 28, 28)
    """

    kind: str
    shape: tuple[int, ...]
