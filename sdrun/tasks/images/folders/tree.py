"""The images below a folder: which there are, and what their files say of them."""

import io
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TypeAlias

import numpy as np

from sdrun.errors import InputError, require
from sdrun.storage.files import write_bytes
from sdrun.tasks.images.folders.decoding import SUFFIXES, Header, header
from sdrun.tasks.images.folders.workers import each

DIGEST = 32
"""Bytes of a SHA-256."""

_Place: TypeAlias = tuple[str, int, int]
"""Path, bytes and time of a file."""


@dataclass(frozen=True)
class Tree:
    """``paths`` [N] from ``root``, sorted, and ``stats`` [N, 2]: bytes and time of each file, by which it is known."""

    root: Path
    paths: list[str]
    stats: np.ndarray
    num_others: int


@dataclass
class _Walk:
    """Where a walk has been: links are followed, and no folder is entered twice."""

    root: Path
    key: str
    seen: set[str] = field(default_factory=set)
    ahead: list[tuple[str, str]] = field(default_factory=list)
    images: dict[str, tuple[int, int]] = field(default_factory=dict)
    num_others: int = 0

    def go(self) -> None:
        """Note the images in the root and below it; what is hidden is left out."""
        self.ahead.append((str(self.root), ""))
        while self.ahead:
            folder, inside = self.ahead.pop()
            try:
                real = os.path.realpath(folder)
                if real not in self.seen:
                    self.seen.add(real)
                    self._enter(folder, inside)
            except OSError as error:
                raise InputError(f"{self.key}: {error.filename or folder}: {error.strerror}") from error

    def _enter(self, folder: str, inside: str) -> None:
        """Note what is in ``folder``, which is ``inside`` the root."""
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name, reverse=True):  # as the last is taken first
                if not entry.name.startswith("."):
                    self._note(entry, f"{inside}{entry.name}")

    def _note(self, entry: "os.DirEntry[str]", inside: str) -> None:
        try:
            stat = entry.stat()
        except OSError:  # a link to nothing, or to itself
            self.num_others += 1
            return
        if S_ISDIR(stat.st_mode):
            self.ahead.append((entry.path, f"{inside}/"))
        elif S_ISREG(stat.st_mode) and entry.name.lower().endswith(SUFFIXES):
            self.images[inside] = (stat.st_size, stat.st_mtime_ns)
        else:
            self.num_others += 1


def walk(root: Path, key: str) -> Tree:
    """Raises InputError, which begins with ``key``, where a folder is not there or cannot be read."""
    require(root.exists(), key, f"{root} is not there; name a folder of images: {key}=FOLDER")
    require(root.is_dir(), key, f"{root} is no folder; name one of images: {key}=FOLDER")
    walked = _Walk(root, key)
    walked.go()
    paths = sorted(walked.images)
    stats = np.array([walked.images[path] for path in paths], dtype=np.int64).reshape(-1, 2)
    return Tree(root, paths, stats, walked.num_others)


def headers(tree: Tree, memory: Path, num_workers: int) -> list[Header]:
    """What each file says. Files that are as they were the last time are not opened.

    memory: a folder for what was read. Where it cannot be written to, files are read again next time.
    """
    file = memory / f"{sha256(os.fsencode(os.path.realpath(tree.root))).hexdigest()[:32]}.npz"
    remembered = _remembered(file)
    places = [(path, *stat) for path, stat in zip(tree.paths, tree.stats.tolist(), strict=True)]
    new = [place for place in places if place not in remembered]
    read = each(header, [(os.path.join(tree.root, path),) for path, *_ in new], num_workers, "Reading images")
    remembered |= zip(new, read, strict=True)
    if new:
        with suppress(OSError):
            _remember(file, [(place, remembered[place]) for place in places if remembered[place].digest])
    return [remembered[place] for place in places]


def _remembered(file: Path) -> dict[_Place, Header]:
    """What ``_remember`` wrote; nothing where that is gone or broken."""
    try:
        with np.load(file) as arrays:
            paths = json.loads(arrays["paths"].tobytes())
            problems = json.loads(arrays["problems"].tobytes())
            digests = np.frombuffer(arrays["digests"].tobytes(), f"V{DIGEST}")
            rows = zip(paths, arrays["numbers"].tolist(), digests, problems, strict=True)
            return {
                (path, size, time): Header(digest.tobytes(), width, height, bool(grey), bool(moves), problem)
                for path, (size, time, width, height, grey, moves), digest, problem in rows
            }
    except Exception:  # a broken file makes numpy raise nearly anything
        return {}


def _remember(file: Path, said: list[tuple[_Place, Header]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    numbers = [(size, time, h.width, h.height, h.is_grey, h.is_animated) for (_, size, time), h in said]
    content = io.BytesIO()
    np.savez(
        content,
        paths=_as_bytes(json.dumps([path for (path, _, _), _ in said])),
        numbers=np.array(numbers, dtype=np.int64).reshape(-1, 6),
        digests=np.frombuffer(b"".join(header.digest for _, header in said), dtype=np.uint8),
        problems=_as_bytes(json.dumps([header.problem for _, header in said])),
    )
    write_bytes(file, content.getvalue())


def _as_bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), dtype=np.uint8)
