"""Images that belong to no dataset, to be predicted."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from joblib import cpu_count

from sdrun.data.arrays import SUFFIXES
from sdrun.data.columns import Columns
from sdrun.data.examples import without_labels
from sdrun.errors import InputError, require
from sdrun.settings import DatasetSettings, Item, OwnSettings
from sdrun.tasks.images.folders.decoded import Files
from sdrun.tasks.images.folders.decoding import header
from sdrun.tasks.images.folders.pixels import Pixels
from sdrun.tasks.images.folders.tree import walk
from sdrun.tasks.images.pixels import pixels


def columns_of(item: Item, items: Iterable[object]) -> Columns:
    """Images [N, C, H, W] uint8 of the run's own size. Raises InputError for others."""
    try:
        return _fitting(item, np.asarray(items), "images")
    except ValueError as error:
        raise (
            error if isinstance(error, InputError) else InputError("images: differ in shape; give an array")
        ) from error


def _fitting(item: Item, images: np.ndarray, key: str) -> Columns:
    if images.ndim == 3 and item.shape[0] == 1:
        images = images[:, None]
    fits = images.dtype == np.uint8 and images.shape[1:] == item.shape and len(images) > 0
    size, shape = ("x".join(map(str, sides)) for sides in (item.shape, images.shape))
    require(fits, key, f"must be uint8 of Nx{size}, but is {images.dtype} of {shape or 'no shape'}")
    return {"image": images}


def read(settings: DatasetSettings, item: Item, path: Path) -> tuple[list[str], Columns]:
    """Names and pixels of images in arrays, in a file, or below a folder; arrays in one, if the run's were.

    Raises InputError where one cannot be used.
    """
    if path.suffix in SUFFIXES or (path.is_dir() and isinstance(settings, OwnSettings)):
        examples = without_labels(settings, path)
        return [f"{path}[{number}]" for number in range(len(examples))], _fitting(item, pixels(examples), str(path))
    if path.is_dir():
        tree = walk(path, str(path))
        require(bool(tree.paths), str(path), "holds no images")
        paths = [path / name for name in tree.paths]
    else:
        require(path.is_file(), str(path), "is not there; name a file or a folder of images")
        paths = [path]
    said = [header(file) for file in paths]
    for file, one in zip(paths, said, strict=True):
        require(not one.problem, str(file), f"{one.problem}; mend or remove it")
    channels, size, _ = item.shape
    digests = np.array([np.frombuffer(one.digest, np.uint8) for one in said])
    store = Files(paths, size, channels, cpu_count())
    return list(map(str, paths)), {"image": Pixels(store, (channels, size, size), np.arange(len(paths)), digests)}


def blank(item: Item, num: int) -> Columns:
    """Images of which nothing is known, in the place of those of training."""
    return {"image": Pixels(_Black(item.shape), item.shape, np.zeros(num, dtype=int), np.zeros((num, 32), np.uint8))}


class _Black:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def read(self, rows: np.ndarray) -> np.ndarray:
        return np.zeros((len(rows), *self.shape), dtype=np.uint8)
