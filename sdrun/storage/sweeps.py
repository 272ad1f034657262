"""The folder of a sweep: one sweep at a time. Imports no torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from filelock import FileLock, Timeout

from sdrun.errors import InputError
from sdrun.storage.place import holds_run


@contextmanager
def held(path: Path, is_new: bool) -> Iterator[None]:
    """Hold the folder for a sweep; a killed one lets go of it.

    Raises InputError while another sweep holds it and, for a new one, where the runs of another one lie.
    """
    way_out = "choose another folder by hydra.sweep.dir=FOLDER"
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / ".sweep.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"{path} is being written by another sweep; {way_out}") from error
    try:
        if (path / "multirun.yaml").is_symlink():
            raise InputError(f"{path / 'multirun.yaml'} is a link, through which nothing is written; {way_out}")
        if is_new and any(map(holds_run, chain(path.glob("*"), path.glob("*/*")))):
            raise InputError(f"{path} holds the runs of a sweep already; {way_out}")
        yield
    finally:
        lock.release()
