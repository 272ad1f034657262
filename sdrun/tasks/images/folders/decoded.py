"""Images of many files at one size, decoded once: kept in a file that is mapped into memory, or decoded as needed."""

import json
import math
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
import PIL
from filelock import FileLock

from sdrun.errors import NO_ROOM, InputError, require
from sdrun.tasks.images.folders.decoding import decode
from sdrun.tasks.images.folders.workers import each

VERSION = f"1 {PIL.__version__}"
"""How files are decoded; what another version kept is not used."""

PIXELS, STATISTICS, PROBLEMS = "pixels.bin", "statistics.npy", "problems.json"
GIB = 2**30
FLAT = 1e-4
"""Deviation below which a channel is the same everywhere."""


class Store(Protocol):
    """Images [N, channels, size, size] by number."""

    def read(self, rows: np.ndarray) -> np.ndarray:
        """uint8 [B, channels, size, size]."""


@dataclass(frozen=True)
class Mapped:
    """Images of this shape in a file, of which the system keeps in memory what is used."""

    file: Path
    shape: tuple[int, ...]

    @cached_property
    def _pixels(self) -> np.ndarray:
        return np.memmap(self.file, np.uint8, "r", shape=self.shape)

    def read(self, rows: np.ndarray) -> np.ndarray:
        return self._pixels[rows]


@dataclass(frozen=True)
class Files:
    """Images that are decoded each time, by as many threads as there are workers."""

    paths: Sequence[str | Path]
    size: int
    channels: int
    num_workers: int

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.num_workers)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Raises InputError for a file that cannot be decoded."""
        images = np.empty((len(rows), self.channels, self.size, self.size), np.uint8)
        for place, pixels in enumerate(self._threads.map(self._one, rows.tolist())):
            images[place] = pixels
        return images

    def _one(self, row: int) -> np.ndarray:
        decoded = decode(self.paths[row], self.size, self.channels)
        if decoded.pixels is None:
            raise InputError(f"{self.paths[row]}: {decoded.problem}; put a whole one there")
        return decoded.pixels


@dataclass(frozen=True)
class Decoded:
    """What is known of the images once each was decoded.

    ``statistics`` [N, 2, channels]: mean of each one's pixels and of their squares, in 0 to 1; ``problems``: why it
    cannot be used, by number.
    """

    store: Store
    statistics: np.ndarray
    problems: dict[int, str]

    def mean_and_std(self, rows: np.ndarray) -> tuple[list[float], list[float]]:
        """By channel, over all pixels of these images; where all are alike, 1 for the latter."""
        mean, square = self.statistics[rows].mean(axis=0)
        std = np.sqrt(np.maximum(square - mean**2, 0))
        return mean.round(4).tolist(), np.where(std < FLAT, 1, std).round(4).tolist()


@dataclass(frozen=True)
class Cache:
    """Where decoded images are kept: below ``folder``, those of the largest set ``limit`` GiB.

    ``keeps_pixels``: or else only what is known of them, and they are decoded as they are needed.
    """

    folder: Path
    limit: float
    keeps_pixels: bool
    num_workers: int

    def decoded(self, paths: Sequence[str | Path], digests: Sequence[bytes], size: int, channels: int) -> Decoded:
        """The images in ``paths`` whose content has these ``digests``, each decoded once, by one run of several.

        Raises InputError where there is no room for them.
        """
        words = [VERSION.encode(), f"{size} {channels}".encode(), *digests]
        place = self.folder / "images" / sha256(b"\0".join(words)).hexdigest()[:32]
        shape = (len(paths), channels, size, size)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(place.with_suffix(".lock")):
                store: Store = Files(paths, size, channels, self.num_workers)
                if self.keeps_pixels:
                    store = Mapped(place / PIXELS, shape)
                if not (decoded := self._kept(place, shape, store)):
                    self._make(place, paths, shape)
                    decoded = self._kept(place, shape, store)
                assert decoded
                return decoded
        except OSError as error:
            way_out = f"{'make room, or ' * (error.errno in NO_ROOM)}name another folder: dataset.cache=FOLDER"
            raise InputError(f"dataset.cache: {error.filename or place}: {error.strerror}; {way_out}") from error

    def _kept(self, place: Path, shape: tuple[int, ...], store: Store) -> Decoded | None:
        """What ``_fill`` wrote; None where anything of it is gone or broken."""
        try:
            statistics = np.load(place / STATISTICS)
            problems = {int(row): str(text) for row, text in json.loads((place / PROBLEMS).read_bytes()).items()}
            is_whole = statistics.shape == (shape[0], 2, shape[1]) and bool(np.isfinite(statistics).all())
            if self.keeps_pixels:
                is_whole &= (place / PIXELS).stat().st_size == math.prod(shape)
        except Exception:  # a broken file makes numpy raise nearly anything
            return None
        return Decoded(store, statistics, problems) if is_whole else None

    def _make(self, place: Path, paths: Sequence[str | Path], shape: tuple[int, ...]) -> None:
        """Decode all; what is in ``place`` is whole or not there."""
        part = place.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir()
            self._fill(part, paths, shape)
            shutil.rmtree(place, ignore_errors=True)
            part.rename(place)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _fill(self, part: Path, paths: Sequence[str | Path], shape: tuple[int, ...]) -> None:
        pixels = part / PIXELS if self.keeps_pixels else None
        if pixels:
            self._require_room(part, math.prod(shape))
            with pixels.open("xb") as file:
                file.truncate(math.prod(shape))
        _, channels, size, _ = shape
        arguments = [(row, path, size, channels, pixels) for row, path in enumerate(paths)]
        title = "Decoding images" if pixels else "Looking at images"
        statistics, problems = np.zeros((len(paths), 2, channels)), {}
        for row, (numbers, problem) in enumerate(each(_keep, arguments, self.num_workers, title)):
            statistics[row] = numbers
            if problem:
                problems[row] = problem
        if pixels:
            with pixels.open("r+b") as file:
                os.fsync(file.fileno())
        np.save(part / STATISTICS, statistics)
        (part / PROBLEMS).write_text(json.dumps(problems), encoding="utf-8")

    def _require_room(self, part: Path, num_bytes: int) -> None:
        needs = f"the images need {num_bytes / GIB:.1f} GiB at this size"
        ways = "set a smaller dataset.size, or dataset.cache=off"
        require(
            num_bytes <= self.limit * GIB, "dataset.cache_limit", f"is {self.limit:g}, and {needs}; raise it, or {ways}"
        )
        free = shutil.disk_usage(part).free
        there = f"{part.parent} has {free / GIB:.1f} GiB free, and {needs}; name another folder, or {ways}"
        require(num_bytes <= free, "dataset.cache", there)


def _keep(row: int, path: str | Path, size: int, channels: int, pixels: Path | None) -> tuple[np.ndarray, str]:
    """Decode one image into its row of the file, if there is one: its statistics [2, channels], and what is wrong."""
    decoded = decode(path, size, channels)
    if decoded.pixels is None:
        return np.zeros((2, channels)), decoded.problem
    if pixels:
        with pixels.open("r+b") as file:
            file.seek(row * decoded.pixels.size)
            file.write(decoded.pixels.tobytes())
    values = decoded.pixels.reshape(channels, -1) / 255
    return np.stack([values.mean(axis=1), (values**2).mean(axis=1)]), ""
