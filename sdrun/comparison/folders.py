"""Which folders hold runs: those that are named, and what lies below them; those that tell nothing, with the reason."""

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sdrun.comparison.runs import Run, read
from sdrun.errors import InputError
from sdrun.settings.words import printable
from sdrun.storage.documents import Unreadable, reason


@dataclass
class Found:
    """Runs by what can be done with them. ``skipped``: folder and reason; ``links``: folders that were passed over."""

    finished: list[Run] = field(default_factory=list)
    unfinished: list[Run] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)

    @property
    def runs(self) -> list[Run]:
        return [*self.finished, *self.unfinished]


def find(patterns: Iterable[str]) -> Found:
    """The runs that folders and globs name: each itself, or all below it. Raises InputError where one names nothing."""
    below = _named(patterns)
    runs = Found(skipped=below.closed, links=below.links)
    for path in dict.fromkeys(below.runs):
        try:
            run = read(path)
        except Unreadable as error:
            runs.skipped.append((path, str(error)))
            continue
        (runs.finished if run.status == "completed" else runs.unfinished).append(run)
    return runs


@dataclass
class Below:
    """Run folders; links to folders elsewhere, which are not followed; folders that are closed, and why."""

    runs: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    closed: list[tuple[Path, str]] = field(default_factory=list)


def look_below(top: Path) -> Below:
    """What lies at and below ``top``, in order; what lies inside of a run is not looked at."""
    below, waiting, home = Below(), [top], os.path.realpath(top)
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            below.closed.append((folder, f"cannot be read ({reason(error)})"))
            continue
        if any(entry.name == "manifest.json" for entry in entries):
            below.runs.append(folder)
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(folder / entry.name)
            elif entry.is_symlink() and os.path.isdir(entry) and not _is_in(home, os.path.realpath(entry)):
                below.links.append(folder / entry.name)
    below.runs.sort()
    below.links.sort()
    return below


def passed_over(links: list[Path]) -> list[str]:
    """What is said of links that were not followed: nothing, or a line."""
    if not links:
        return []
    others = f", and {len(links) - 1:,} more like it" if len(links) > 1 else ""
    return [f"{printable(str(links[0]))} is a link and was passed over{others}; name it to include it"]


def _named(patterns: Iterable[str]) -> Below:
    everything = Below()
    for pattern in patterns:
        paths = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern, recursive=True))
        if not paths:
            raise InputError(f"{pattern}: there is no such folder")
        for path in map(Path, paths):
            if path.is_dir():
                below = look_below(path)
                everything.runs += below.runs or [path] * (not below.closed)
                everything.links += below.links
                everything.closed += below.closed
            elif len(paths) == 1:
                raise InputError(f"{pattern} is a file; name the folder of a run, or one with runs below it")
    return everything


def _is_in(folder: str, path: str) -> bool:
    return os.path.commonpath([folder, path]) == folder
