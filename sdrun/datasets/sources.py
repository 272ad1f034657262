"""Every dataset by name: where its files may lie, how they are read, and how a missing one is got."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdrun.datasets.cifar import read_batches
from sdrun.datasets.idx import read_idx
from sdrun.datasets.images import Images, Source
from sdrun.datasets.splits import stratified
from sdrun.errors import InputError, require
from sdrun.settings import DatasetSettings

FASHION = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
IDX_FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


def _digits() -> Source:
    """scikit-learn's digits; every fifth image of each class, drawn once for all runs, is the test set."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    everything = Images(images, digits.target.astype(np.int64))
    test, train = stratified(np.arange(len(images)), everything.labels, 360, seed=0)
    return Source(everything.take(train), everything.take(test), [str(digit) for digit in range(10)])


def _idx(paths: list[Path], classes: list[str]) -> Source:
    def part(images: Path, labels: Path) -> Images:
        pixels, targets = read_idx(images, 3), read_idx(labels, 1)
        num, height, width = pixels.shape
        require(num > 0, str(images), "holds no images; a run needs some to train on and some to test with")
        size = f"holds images of {height}x{width} pixels"
        require(height == width > 0, str(images), f"{size}, but only square ones can be used; crop or pad them")
        require(len(targets) == num, str(labels), f"holds {len(targets)} labels for {num} images; fetch both again")
        most = len(classes) - 1
        require(targets.max() <= most, str(labels), f"holds labels above {most}; choose the dataset that has them")
        return Images(pixels[:, None], targets.astype(np.int64))

    train, test = part(*paths[:2]), part(*paths[2:])
    sides = [source.images.shape[2] for source in (train, test)]
    differ = "holds images of {1}x{1} pixels, and the training images have {0}x{0}; make them alike".format(*sides)
    require(sides[0] == sides[1], str(paths[2]), differ)
    return Source(train, test, classes)


def _cifar(paths: list[Path], label_key: str, classes: list[str]) -> Source:
    train, test = (read_batches(part, label_key, len(classes)) for part in (paths[:-1], paths[-1:]))
    return Source(train, test, classes)


@dataclass(frozen=True)
class Files:
    """A dataset in files: their names, the folders below a root that may hold them, and who can fetch them."""

    names: list[str]
    subfolders: list[str]
    system: Path | None
    torchvision: str
    advice: list[str]
    read: Callable[[list[Path]], Source]

    def find(self, root: Path) -> list[Path] | None:
        """The files in the first of the folders below ``root`` that has them all, plain or gzipped."""
        for folder in self.subfolders:
            paths = [self._present(root / folder / name) for name in self.names]
            if all(paths):
                return [path for path in paths if path]
        return None

    @staticmethod
    def _present(path: Path) -> Path | None:
        zipped = path.with_name(path.name + ".gz")
        return path if path.exists() else zipped if zipped.exists() else None


FILES = {
    "fashion_mnist": Files(
        IDX_FILES,
        ["", "FashionMNIST/raw"],
        Path("/usr/share/datasets/fashion-mnist"),
        "FashionMNIST",
        ["apt-get install dataset-fashion-mnist (Debian, Ubuntu)"],
        lambda paths: _idx(paths, FASHION),
    ),
    "mnist": Files(
        IDX_FILES, ["", "MNIST/raw"], None, "MNIST", [], lambda paths: _idx(paths, [str(digit) for digit in range(10)])
    ),
    "cifar10": Files(
        [*(f"data_batch_{part}" for part in range(1, 6)), "test_batch"],
        ["", "cifar-10-batches-py"],
        None,
        "CIFAR10",
        [],
        lambda paths: _cifar(paths, "labels", CIFAR10),
    ),
    "cifar100": Files(
        ["train", "test"],
        ["", "cifar-100-python"],
        None,
        "CIFAR100",
        [],
        lambda paths: _cifar(paths, "fine_labels", [str(label) for label in range(100)]),
    ),
}

_loaded: dict[tuple[str, str | None], Source] = {}


def load(settings: DatasetSettings) -> Source:
    """The dataset that the settings name; the one loaded last is kept, so that a sweep reads it once.

    Raises InputError that names a missing or broken file and the ways to get it.
    """
    key = (settings.name, settings.root and os.path.abspath(os.path.expanduser(settings.root)))
    if key not in _loaded:
        try:
            source = _digits() if settings.name == "digits" else _from_files(settings)
        except OSError as error:
            raise InputError(f"dataset.root: {error}") from error
        _loaded.clear()
        _loaded[key] = source
    return _loaded[key]


def _from_files(settings: DatasetSettings) -> Source:
    known = ["digits", *FILES]
    require(settings.name in FILES, "dataset.name", f"is {settings.name!r}, but only {', '.join(known)} are known")
    files = FILES[settings.name]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "sdrun"
    root = Path(os.path.expanduser(settings.root)) if settings.root else None
    places = [root] if root else [place for place in (files.system, cache) if place]
    for place in places:
        if paths := files.find(place):
            return files.read(paths)
    if not settings.download:
        ways = [*(files.advice if not root else []), "dataset.root=FOLDER that holds them", "dataset.download=true"]
        raise InputError(
            f"dataset={settings.name}: {files.names[0]} and its companions are not in "
            + ", ".join(map(str, places))
            + "\nWays to get them:"
            + "".join(f"\n  {way}" for way in ways)
        )
    require(bool(root) or cache.is_absolute(), "dataset.root", "this user has no home folder; name one for the files")
    target = root or cache
    _download(files.torchvision, target)
    paths = files.find(target)
    if not paths:
        raise InputError(
            f"dataset={settings.name}: the download to {target} lacks {files.names[0]}; empty it and retry"
        )
    return files.read(paths)


def _download(name: str, target: Path) -> None:
    from filelock import FileLock
    from torchvision import datasets

    try:
        target.mkdir(parents=True, exist_ok=True)
        with FileLock(target / f".{name}.lock"):
            getattr(datasets, name)(str(target), download=True)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"dataset.download: {name} could not be fetched to {target}: {reason}") from error
