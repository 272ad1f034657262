"""What one item of a task is to a network."""

from dataclasses import dataclass


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
