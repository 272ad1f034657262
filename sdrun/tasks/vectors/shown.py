"""Vectors as a person sees them."""

from sdrun.data.labelled import Labelled

MOST = 24
"""Numbers of one that are shown."""


def shown(items: Labelled) -> list[bytes | str]:
    values = next(iter(items.fields))
    more = " ..." * (items.numbers(values).shape[1] > MOST)
    return [" ".join(f"{number:.4g}" for number in row[:MOST]) + more for row in items.numbers(values)]
