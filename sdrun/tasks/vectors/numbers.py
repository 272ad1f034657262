"""Arrays of vectors as anybody may have written them, to float32 [N, D]."""

import numpy as np

from sdrun.data.examples import Examples
from sdrun.errors import InputError, require

FEWEST_STEPS = 1000
"""Steps of float32 that the values of a column have to lie apart in all."""

BATCH = 1000
"""Vectors that are looked at together, for an array may be larger than the memory."""


def vectors(examples: Examples) -> np.ndarray:
    """Raises InputError that names the array, or the item whose numbers are missing or too large."""
    x, place = examples.x, examples.place("x")
    sizes = "x".join(map(str, x.shape[1:]))
    require(x.ndim > 1, place, "holds a number for each item; write vectors: x[:, None]")
    images = f"holds {sizes} numbers for each item; use dataset=arrays for images, or x.reshape(len(x), -1)"
    require(x.ndim == 2, place, images)
    require(x.dtype.kind in "iubf" and x.shape[1] > 0, place, f"holds {sizes} {x.dtype}; write numbers")
    with np.errstate(over="ignore"):
        numbers = np.asarray(x, dtype=np.float32)
    for start in range(0, len(numbers), BATCH):
        is_finite = np.isfinite(numbers[start : start + BATCH])
        if not is_finite.all():
            row, column = np.argwhere(~is_finite)[0]
            fault = "is missing (NaN)" if np.isnan(numbers[start + row, column]) else "is infinite, or above 3e38"
            where = examples.at("x", start + row)
            raise InputError(f"{where}: its number {column} {fault}; fill it in, or remove such items")
    largest, spread = np.abs(numbers).max(axis=0), x.max(axis=0).astype(np.float64) - x.min(axis=0)
    coarse = (spread > 0) & (spread < FEWEST_STEPS * np.finfo(np.float32).eps * largest)
    column = int(coarse.argmax())
    sizes = f"its number {column} is up to {largest[column]:g} and differs by {spread[column]:g}"
    require(not coarse.any(), place, f"{sizes}, which float32 cannot tell apart; subtract its smallest value")
    return numbers
