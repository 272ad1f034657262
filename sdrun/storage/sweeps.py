"""The folder of a sweep: ``sweep.json`` has the command and every job; locks say which is being run. Imports no torch.

A job is known by its overrides, and its folder by a name that it keeps. Several processes may share a sweep: the file
is read again and written under a lock, and a job is held by the process that runs it, which lets go when it is killed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from sdrun.errors import InputError, RunError
from sdrun.settings.words import parted, printable
from sdrun.storage.documents import Unreadable
from sdrun.storage.files import write_json
from sdrun.storage.place import SWEEP, holds_run, is_inside, resuming
from sdrun.storage.shape import TEXT, read_shaped, require_shape

RESULTS, LOCKS, LOGS, STORE = "results.csv", ".locks", "logs", ".store"
FORMAT = 1

COMMAND = {"overrides": [TEXT], "folder": TEXT, "config_name": TEXT, "config_path": TEXT, "config_dir": TEXT}
JOB = {"overrides": [TEXT], "status": TEXT, "reason": TEXT}
SHAPE = {"format": (int,), "command": COMMAND, "jobs": {...: JOB}}

ELSEWHERE = "choose another folder by hydra.sweep.dir=FOLDER"


class Busy(RunError):
    """Another process is at this job."""


@dataclass(frozen=True)
class Command:
    """What a sweep was asked for by. ``folder``: the current one then; the others are options of Hydra's."""

    overrides: list[str]
    folder: str
    config_name: str = ""
    config_path: str = ""
    config_dir: str = ""


@dataclass
class Job:
    """``overrides``: without those of Hydra's own; ``reason``: of a failure."""

    overrides: list[str]
    status: str = "queued"
    reason: str = ""


@dataclass
class SweepFolder:
    """A sweep in ``path``; ``jobs`` by the names of their folders, in the order in which they came."""

    path: Path
    command: Command
    jobs: dict[str, Job] = field(default_factory=dict)
    _written: tuple[int, ...] | None = field(default=None, compare=False)

    @classmethod
    def open(cls, path: Path) -> "SweepFolder":
        """Raises InputError where ``path`` holds no sweep that can be read."""
        try:
            document = read_shaped(path / SWEEP, SHAPE, ("format", "command", "jobs"), FORMAT)
            require_shape(f"{SWEEP}, command", document["command"], {}, tuple(COMMAND))
            for name, job in document["jobs"].items():
                require_shape(f"{SWEEP}, {name}", job, {}, tuple(JOB))
                if not is_place_of_job(path, name):
                    raise Unreadable(f"{SWEEP} names the job {name}, which is no folder of the sweep")
                _require_words(job["overrides"], of_hydra=False)
            _require_words(document["command"]["overrides"], of_hydra=True)
        except Unreadable as error:
            raise InputError(f"{printable(str(path))} holds no sweep: {printable(str(error))}") from error
        command = Command(**{key: document["command"][key] for key in COMMAND})
        jobs = {name: Job(**{key: job[key] for key in JOB}) for name, job in document["jobs"].items()}
        return cls(path, command, jobs)

    @classmethod
    def begin(cls, path: Path, command: Command, is_new: bool = False) -> "SweepFolder":
        """The sweep that is there, or a new one that was asked for by ``command``.

        Raises InputError as ``open`` does, for links through which something would be written, and for a sweep that
        is there where a new one ``is_new``.
        """
        path.mkdir(parents=True, exist_ok=True)
        for place in (path / SWEEP, path / LOCKS, path / LOGS, path / STORE):
            if place.is_symlink():
                raise InputError(f"{place} is a link, through which nothing is written; {ELSEWHERE}")
        for name in (LOCKS, LOGS):
            (path / name).mkdir(exist_ok=True)
        folder = cls(path, command)
        with folder.updating():
            if is_new and folder.command is not command:
                raise InputError(_taken(path))
        return folder

    @contextmanager
    def updating(self) -> Iterator[None]:
        """Change what is in here: what other processes wrote is there before, and it is written after."""
        with FileLock(self.path / LOCKS / "sweep.lock"):
            if self._stamp() not in (None, self._written):  # as it is after another process's change
                there = SweepFolder.open(self.path)
                self.command, self.jobs = there.command, there.jobs
            yield
            jobs = {name: vars(job) for name, job in self.jobs.items()}
            write_json(self.path / SWEEP, {"format": FORMAT, "command": vars(self.command), "jobs": jobs})
            self._written = self._stamp()

    def _stamp(self) -> tuple[int, ...] | None:
        """Another one after each change of the file; None where there is none."""
        try:
            stat = os.lstat(self.path / SWEEP)
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def note(self, name: str, status: str, reason: str = "") -> None:
        """Keep how a job stands."""
        with self.updating():
            self.jobs[name].status, self.jobs[name].reason = status, reason

    def log(self, name: str) -> Path:
        """The file of what a job printed."""
        return self.path / LOGS / f"{_flat(name)}.log"


def require_new(path: Path) -> None:
    """Raise InputError where a sweep, or runs, lie in ``path`` already."""
    if os.path.lexists(path / SWEEP):
        raise InputError(_taken(path))
    if any(map(holds_run, path.glob("*"))):
        raise InputError(f"{path} holds runs already; {ELSEWHERE}")


@contextmanager
def job_held(path: Path, name: str) -> Iterator[None]:
    """Hold a job of the sweep in ``path``. Raises Busy while another process does."""
    (path / LOCKS).mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / LOCKS / f"{_flat(name)}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Busy(f"{path / name} is being run by another process; wait for it") from error
    try:
        yield
    finally:
        lock.release()


def is_held(path: Path, name: str) -> bool:
    """Whether a process is at a job."""
    try:
        with job_held(path, name):
            return False
    except Busy:
        return True


def _taken(path: Path) -> str:
    return f"{path} holds a sweep already; go on with it by: {resuming(path)}, or {ELSEWHERE}"


def _flat(name: str) -> str:
    """The name of a folder, which may be below another, as that of a file."""
    return name.replace("/", "-")


def _require_words(words: list[str], of_hydra: bool) -> None:
    """Raise Unreadable unless these are overrides, and where they are a job's none ``of_hydra``, such as its folder."""
    for word in words:
        key = parted(word)[0]
        if word.startswith("-") or (key.startswith("hydra") and not of_hydra):
            raise Unreadable(f"{SWEEP} has {word}, which is no setting of a run")


def is_in_sweep(path: Path) -> bool:
    """Whether a run is a job of a sweep."""
    return any((folder / SWEEP).exists() for folder in path.parents)


def is_place_of_job(path: Path, name: str) -> bool:
    """Whether a job's folder may have this name in that of its sweep."""
    return is_inside(path, name) and name.split("/")[0] not in (LOCKS, LOGS, STORE)
