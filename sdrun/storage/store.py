"""Finished stages that the runs of a sweep share, each by what it is; a run that has one holds copies or hard links.

``.store/<key>/`` has the files of a stage as a run has them, its lines of the record, and ``stage.json`` with their
hashes. It comes to be at once, by a rename. Who makes a stage holds its lock, which a kill lets go.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

from filelock import FileLock, Timeout

from sdrun.errors import Interrupted
from sdrun.interrupt import Interrupt
from sdrun.storage.documents import Unreadable, read_json
from sdrun.storage.files import digest, write_bytes, write_json
from sdrun.storage.folder import DONE, RunFolder
from sdrun.storage.manifest import digest_of
from sdrun.storage.place import is_inside
from sdrun.storage.record import Record
from sdrun.storage.shape import TEXT, require_shape

POINTS, ENTRY = "points.jsonl", "stage.json"
SHAPE = {"stage": TEXT, "run": TEXT, "files": {...: TEXT}}
PAUSE = 0.2
"""Seconds between two looks at whether another run is done with a stage."""


@dataclass(frozen=True)
class Entry:
    """A stage in the store. ``run``: the folder of the one that made it; ``files``: SHA-256 by path."""

    path: Path
    stage: str
    run: str
    files: dict[str, str]


class Store:
    """The stages in ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def holding(
        self, key: str, interrupt: Interrupt, aside: Callable[[], AbstractContextManager[None]]
    ) -> Iterator[Entry | None]:
        """The stage, when another run has made it; or None, and then it is this run's to make while the context lasts.

        ``aside``: a context in which it is waited for another. Raises Interrupted where a signal comes meanwhile.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / f"{key}.lock")
        if (entry := self._entry(key)) is None and not _acquired(lock):
            with aside():
                while (entry := self._entry(key)) is None and not _acquired(lock):
                    if interrupt.signum is not None:
                        raise Interrupted(interrupt.signum)
                    sleep(PAUSE)
        try:
            yield entry or self._entry(key)
        finally:
            lock.release()

    def put(self, key: str, stage: str, folder: RunFolder, record: Record) -> None:
        """Keep a stage that a run has finished, for the others."""
        place = self.path / key
        part = self.path / f"{key}.part"
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)  # of which something was damaged
        files = {}
        for name in _files(folder, stage):
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(folder.path / name, part / name)
            files[name] = digest_of(part / name)
        points = record.lines(stage)
        write_bytes(part / POINTS, points)
        write_json(part / ENTRY, {"stage": stage, "run": folder.path.name, "files": {**files, POINTS: digest(points)}})
        part.replace(place)

    def _entry(self, key: str) -> Entry | None:
        """None where there is none, or one of which something is gone or damaged."""
        place = self.path / key
        try:
            document = read_json(place / ENTRY)
            require_shape(ENTRY, document, SHAPE, tuple(SHAPE))
        except Unreadable:
            return None
        entry = Entry(place, document["stage"], document["run"], document["files"])
        whole = (is_inside(place, name) and digest_of(place / name) == sha256 for name, sha256 in entry.files.items())
        return entry if all(whole) else None


def take(entry: Entry, folder: RunFolder, record: Record, **noted: Any) -> None:
    """Put a stage of the store into a run's folder, where it is finished then; ``noted`` goes to the manifest."""
    mark = f"stages/{entry.stage}/{DONE}"
    weights = [name for name in entry.files if name.endswith((".pt", ".pt.sha256"))]
    views = [name for name in entry.files if name.startswith("tensorboard/")]
    others = [name for name in entry.files if name not in (*weights, *views, POINTS, mark)]
    for name in (*weights, *views):
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).unlink(missing_ok=True)
        link_or_copy(entry.path / name, folder.path / name)
    record.take(entry.stage, (entry.path / POINTS).read_bytes())
    contents = {name: (entry.path / name).read_bytes() for name in (*others, mark)}
    folder.write(contents, **noted)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or where the file system has none a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _files(folder: RunFolder, stage: str) -> list[str]:
    """All files of a finished stage, the record apart."""
    places = [f"stages/{stage}/*", f"tensorboard/{stage}/*", f"predictions/{stage}.npz"]
    files = [file for place in places for file in sorted(folder.path.glob(place)) if file.is_file()]
    return [file.relative_to(folder.path).as_posix() for file in files if not file.name.startswith("step_")]


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
