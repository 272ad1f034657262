"""Vectors as a person sees them."""

from sdrun.data.labelled import Labelled

MOST = 24
"""Numbers of one that are shown."""


def shown(items: Labelled) -> list[bytes | str]:
    vectors = items.numbers("vector")
    more = " ..." * (vectors.shape[1] > MOST)
    return [" ".join(f"{number:.4g}" for number in vector[:MOST]) + more for vector in vectors]
