"""Arrays of images as anybody may have written them, to bytes [N, C, H, W]; mean and spread of these."""

from collections.abc import Iterator

import numpy as np

from sdrun.data.examples import Examples
from sdrun.errors import require

CHANNELS = (1, 3)
BATCH = 1000
"""Images that are looked at together, for an array may be larger than the memory."""


def pixels(examples: Examples) -> np.ndarray:
    """Images [N, H, W], [N, C, H, W] or [N, H, W, C] as bytes. Raises InputError where they are no such images."""
    images, place = _channels_first(examples), examples.place("x")
    kind, way_out = images.dtype, "write bytes, 0 to 255, or real numbers from 0 to 1"
    if kind == np.uint8:
        return np.array(images)
    is_wide = (kind.kind, kind.itemsize) == ("u", 2)
    require(is_wide or kind.kind == "f", place, f"holds {kind}; {way_out}")
    whole = np.empty(images.shape, dtype=np.uint8)
    highest = 0
    for start, batch in _batches(images):
        if is_wide:
            highest = max(highest, batch.max())
            whole[start : start + BATCH] = batch >> 8
            continue
        is_finite = np.isfinite(batch).all(axis=(1, 2, 3))
        row = start + int(is_finite.argmin())
        require(bool(is_finite.all()), examples.at("x", row), "is not finite; remove such images")
        low, high = batch.min(), batch.max()
        require(low >= 0 and high <= 1, place, f"holds numbers from {low:g} to {high:g}; {way_out}")
        whole[start : start + BATCH] = np.rint(batch * 255)
    require(highest > 255 or not is_wide, place, f"holds uint16 up to {highest}, which would all be black; write uint8")
    return whole


def moments(images: np.ndarray) -> dict[str, list[float]]:
    """``mean`` and ``std`` of each channel of bytes [N, C, H, W], in 0 to 1; of one that is even, 1 for the latter."""
    counts = np.zeros((images.shape[1], 256))
    for _, batch in _batches(images):
        counts += [np.bincount(channel.ravel(), minlength=256) for channel in batch.swapaxes(0, 1)]
    shares, levels = counts / counts.sum(axis=1, keepdims=True), np.arange(256) / 255
    mean = shares @ levels
    std = np.sqrt((shares * (levels - mean[:, None]) ** 2).sum(axis=1))
    return {"mean": mean.round(4).tolist(), "std": np.where(std < 1e-4, 1, std).round(4).tolist()}


def _batches(images: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(images), BATCH):
        yield start, images[start : start + BATCH]


def _channels_first(examples: Examples) -> np.ndarray:
    """The images as [N, C, H, W]."""
    x, place = examples.x, examples.place("x")
    shape = f"[{', '.join(map(str, x.shape))}]"
    require(x.ndim != 2, place, f"holds vectors of {x.shape[-1]} numbers; use dataset=vectors")
    require(x.ndim in (3, 4), place, f"is {shape}; images are [N, H, W], [N, C, H, W] or [N, H, W, C]")
    if x.ndim == 3:
        x = x[:, None]
    orders = [order for order in (x, np.moveaxis(x, -1, 1)) if order.shape[1] in CHANNELS]
    require(bool(orders), place, f"is {shape}, and images have 1 channel or 3; leave out the others")
    square = [order for order in orders if order.shape[2] == order.shape[3] > 0]
    height, width = orders[0].shape[2:]
    size = f"holds images of {height}x{width} pixels"
    require(bool(square), place, f"{size}, but only square ones can be used; crop or pad them")
    is_clear = len(square) == 1 or x.shape[1:] == (1, 1, 1)
    require(is_clear, place, f"is {shape}, whose channels may be first or last; crop or pad the images")
    return square[0]
