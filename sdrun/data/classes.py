"""Classes by the labels of their items, as anybody may have written them."""

from collections.abc import Collection
from itertools import pairwise

from sdrun.errors import require


def in_order(labels: Collection[str], where: str) -> list[str]:
    """Different labels, by size where all are numbers and by letter otherwise.

    Raises InputError where two of them are one number.
    """
    try:
        numbers = {label: float(label) for label in labels}
    except ValueError:
        return sorted(labels)
    by_size = sorted(numbers, key=lambda label: (numbers[label], label))
    for one, other in pairwise(by_size):
        alike = f"has the labels {one!r} and {other!r}, which are one number; write them alike"
        require(numbers[one] != numbers[other], where, alike)
    return by_size
