"""Images of one's own: a folder of them for each class, in files of any size and kind."""

import os
import re
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import ClassVar

import numpy as np
from joblib import cpu_count

from sdrun.data.labelled import FILE, Labelled, Published
from sdrun.data.subsets import for_testing
from sdrun.errors import InputError, require
from sdrun.ranks import num_local_ranks
from sdrun.settings import TEST_SHARE, DatasetSettings, Item, require_positive, require_range, require_test_share
from sdrun.tasks.images.files import usual_cache
from sdrun.tasks.images.folders.decoded import Cache
from sdrun.tasks.images.folders.layout import TEST, VALIDATION, classes_of
from sdrun.tasks.images.folders.pictures import Picture, about, groups_of, pictures_in, usable, usual_size
from sdrun.tasks.images.folders.pixels import Pixels
from sdrun.tasks.images.settings import ImagesSettings

AUTO, OFF = "auto", ("off", "False", "false")


class OnBad(Enum):
    stop = "stop"
    skip = "skip"


@dataclass
class ImageFolderSettings(ImagesSettings):
    """``size``: of a side, to which images are brought by their middle; ``labels``: see ``by_table``.

    What is tested on: ``test_share`` of the images, where no folder says it, or all of another folder, ``test_root``.

    ``group``: see ``groups_of``; ``cache``, ``cache_limit``: see ``Cache``; ``workers``: processes that decode.
    """

    free: ClassVar[tuple[str, ...]] = (*ImagesSettings.free, "cache", "cache_limit", "workers")

    size: int | None
    labels: str | None
    test_root: str | None
    test_share: float | None
    group: str | None
    on_bad: OnBad
    cache: str
    cache_limit: float
    workers: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("dataset.size", self.size, 2)
        require_range("dataset.workers", self.workers, 1)
        require_positive("dataset.cache_limit", self.cache_limit)
        require_test_share(self.test_share)
        is_one = self.test_share is None or self.test_root is None
        require(is_one, "dataset.test_share", "says what is tested on, and so does dataset.test_root; give one of them")
        try:
            re.compile(self.group or "")
        except re.error as error:
            raise InputError(f"dataset.group: {self.group!r} is no regular expression ({error})") from error

    @property
    def paths(self) -> dict[str, str | None]:
        return {**super().paths, "labels": self.labels, "test_root": self.test_root}

    def elsewhere(self, root: str) -> DatasetSettings:
        """All of that folder is tested on; classes are those of the training images."""
        return replace(self, test_root=root, test_share=None)

    @property
    def place(self) -> Cache:
        """Where decoded images are kept."""
        folder = usual_cache()
        if self.cache not in (AUTO, *OFF):
            folder = _path(self.cache).absolute()
        require(folder.is_absolute(), "dataset.cache", "this user has no home folder; name one: dataset.cache=FOLDER")
        num_workers = self.workers or max(1, cpu_count() // num_local_ranks())
        return Cache(folder, self.cache_limit, self.cache not in OFF, num_workers)


def load(settings: ImageFolderSettings) -> Published:
    """Raises InputError that names a folder or a file that cannot be used."""
    require(settings.root is not None, "dataset.root", "is missing; name the folder: dataset.root=FOLDER")
    facts: list[str] = []
    pictures = _listed(settings, facts)
    size = settings.size or usual_size(pictures)
    channels = 1 if all(picture.header.is_grey for picture in pictures if picture.part != TEST) else 3
    facts += about(pictures, size)

    paths = {picture.header.digest: picture.path for picture in pictures}
    row_of = {digest: row for row, digest in enumerate(sorted(paths))}
    decoded = settings.place.decoded([paths[digest] for digest in row_of], list(row_of), size, channels)
    problems = [decoded.problems.get(row_of[picture.header.digest], "") for picture in pictures]
    pictures = _usable(pictures, problems, settings, facts)
    rows = np.array([row_of[picture.header.digest] for picture in pictures])

    classes = classes_of({picture.label for picture in pictures if picture.part != TEST}, "dataset.root")
    labels = _labels(pictures, classes)
    groups = groups_of(pictures, settings.group) if settings.group else None
    if groups is not None:
        facts.append(f"{len(np.unique(groups)):,} groups by {settings.group}, each on one side of a split")
    parts = np.array([picture.part for picture in pictures])
    test, train = np.flatnonzero(parts == TEST), np.flatnonzero(parts != TEST)
    if not len(test):
        test, train = for_testing(labels, settings.test_share or TEST_SHARE, groups)
        key = "dataset.test_share" if groups is None else "dataset.group"
        require(len(test) > 0, key, f"leaves nothing to test on, of {len(labels)} images; see dataset.test_root")
    digests = np.array([np.frombuffer(picture.header.digest, np.uint8) for picture in pictures])
    everything = Labelled({"image": Pixels(decoded.store, (channels, size, size), rows, digests)}, labels)
    for_validation = np.flatnonzero(parts[train] == VALIDATION)
    mean, std = decoded.mean_and_std(rows[train])
    return Published(
        everything.take(train),
        everything.take(test),
        classes,
        Item("images", (channels, size, size)),
        validation=for_validation if len(for_validation) else None,
        groups=None if groups is None else groups[train],
        measured={"size": size, "mean": mean, "std": std},
        facts=tuple(facts),
        names=np.array([picture.name for picture in pictures])[train],
        named=FILE,
    )


def _path(text: str) -> Path:
    return Path(os.path.expanduser(text))


def _listed(settings: ImageFolderSettings, facts: list[str]) -> list[Picture]:
    """The images that can be used by what their headers say; those for testing are said to be."""
    place = settings.place
    root, how = _path(str(settings.root)), (place.folder / "folders", place.num_workers, facts)
    table = _path(settings.labels) if settings.labels else None
    pictures = pictures_in(root, "dataset.root", *how, table, settings.group)
    if settings.test_root:
        other = pictures_in(_path(settings.test_root), "dataset.test_root", *how, None, None)
        pictures = [picture for picture in pictures if picture.part != TEST]
        pictures += [picture._replace(part=TEST) for picture in other]
    parts = {picture.part for picture in pictures}
    if VALIDATION in parts and TEST not in parts:
        facts.append("tested on the folder for validation, as there is none for testing")
        pictures = [p._replace(part=TEST) if p.part == VALIDATION else p for p in pictures]
    is_free = settings.test_share is None or parts == {""}
    require(is_free, "dataset.test_share", f"has no effect: {settings.root} says what is tested on; leave it out")
    return _usable(pictures, [picture.header.problem for picture in pictures], settings, facts)


def _usable(
    pictures: list[Picture], problems: list[str], settings: ImageFolderSettings, facts: list[str]
) -> list[Picture]:
    return usable(pictures, problems, settings.on_bad is OnBad.skip, facts)


def _labels(pictures: list[Picture], classes: list[str]) -> np.ndarray:
    """The number of each one's class. Raises InputError for an image for testing whose class no other has."""
    numbers = {name: number for number, name in enumerate(classes)}
    strange = next((picture for picture in pictures if picture.label not in numbers), None)
    if strange:
        raise InputError(f"{strange.path}: no training image is of its class {strange.label!r}; remove such folders")
    return np.array([numbers[picture.label] for picture in pictures], dtype=np.int64)
