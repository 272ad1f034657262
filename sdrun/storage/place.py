"""Where a run may be written: in a folder that is its own. Imports no torch."""

import os
import shlex
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from sdrun.errors import InputError
from sdrun.storage.files import digest
from sdrun.storage.manifest import FILE, digest_of

LOCK = ".lock"

OWN = (
    FILE,
    "config.yaml",
    "summary.json",
    "metrics.jsonl",
    "run.log",
    LOCK,
    ".hydra",
    "stages",
    "predictions",
    "tensorboard",
    "evaluations",
)
"""All that a run writes, by the names at the top of its folder."""

SWEEP = "sweep.json"
"""What a sweep has there instead."""


def holds_run(path: Path) -> bool:
    """Whether a run, or the stages of one, lie in ``path``."""
    return (path / FILE).exists() or (path / "stages").exists()


def require_no_sweep(path: Path) -> None:
    """Raise InputError where ``path`` is a sweep, which has runs and is none."""
    if os.path.lexists(path / SWEEP):
        raise InputError(f"{path} is a sweep; name one of its runs, or all by {path}/*/")


def is_left(path: Path) -> bool:
    """Whether what was under way in ``path`` was killed: there is a lock, and no process holds it."""
    lock = path / LOCK
    if not lock.is_file() or lock.is_symlink():
        return False
    with suppress(OSError, Timeout), FileLock(lock, timeout=0):
        return True
    return False


def require_free(path: Path, settings: bytes | None) -> None:
    """Raise InputError where a run is in ``path``, or something else by the name of a run's file.

    The same ``settings`` alone are what a kill leaves of a start; None where they are not at hand yet.
    """
    if holds_run(path):
        raise InputError(f"{path} holds a run already; go on with it by: {resuming(path)}")
    for name in OWN:
        is_same = name == "config.yaml" and (settings is None or digest_of(path / name) == digest(settings))
        if (path / name).exists() and not is_same and name != LOCK:
            raise InputError(
                f"{path / name} is there and belongs to no run; choose an empty one by hydra.run.dir=FOLDER"
            )


def refuse_strange(path: Path) -> None:
    """Raise InputError for a link, through which a run would write elsewhere, and for a pipe, which would not end."""
    for name in OWN:
        for place in (path / name, *(path / name).rglob("*")):
            if place.is_symlink():
                raise InputError(f"{place} is a link, through which sdrun writes nothing; put the file in its place")
            if place.exists() and not (place.is_file() or place.is_dir()):
                raise InputError(f"{place} is no regular file; put the file in its place, or remove it")


def is_inside(folder: Path, name: str) -> bool:
    """Whether ``name`` is a plain path of something below ``folder``, also where links lead."""
    is_plain = not os.path.isabs(name) and os.path.normpath(name) == name
    return is_plain and os.path.realpath(folder / name).startswith(os.path.realpath(folder) + os.sep)


def asking_doctor(path: Path) -> str:
    """The command that says what is wrong with a run."""
    return shlex.join(["sdrun", "doctor", str(path)])


def resuming(path: Path | str, *options: str) -> str:
    """The command that goes on with a run."""
    return shlex.join(["sdrun", "resume", *options, str(path)])
