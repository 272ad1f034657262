"""A dataset in files: where they may lie, how they are read, and how missing ones are got."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sdrun.data.labelled import Published
from sdrun.errors import InputError, require
from sdrun.tasks.images.settings import ImagesSettings


@dataclass(frozen=True)
class Files:
    """A dataset in files: their names, the folders below a root that may hold them, and who can fetch them."""

    names: list[str]
    subfolders: list[str]
    system: Path | None
    torchvision: str
    advice: list[str]
    read: Callable[[list[Path]], Published]

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


def usual_cache() -> Path:
    """The folder for files that no setting has a place for; it is not absolute where this user has no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(base if os.path.isabs(base) else os.path.expanduser("~/.cache")) / "sdrun"


def read(files: Files, settings: ImagesSettings) -> Published:
    """The dataset in its files. Raises InputError that names a missing or broken one and the ways to get it."""
    cache = usual_cache()
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
