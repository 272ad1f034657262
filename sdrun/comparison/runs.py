"""Finished runs as their folders tell of them, and folders that tell nothing, with the reason."""

import glob
import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import yaml

from sdrun.errors import InputError
from sdrun.settings.words import ALIASES, leaves, says

if TYPE_CHECKING:
    import numpy as np

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):
    """A folder that holds no run that can be read; the message says why."""


@dataclass(frozen=True)
class Run:
    """A run folder: ``manifest.json``, ``summary.json`` and the values of ``config.yaml`` by dotted key."""

    path: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.summary.get("status", self.manifest.get("status")))

    @property
    def seed(self) -> int:
        return int(self.manifest["seed"])

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Raises Unreadable."""
        file = self.path / "config.yaml"
        try:
            found = dict(leaves(yaml.load(file.read_text(encoding="utf-8"), Loader)))
        except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
            raise Unreadable(f"config.yaml cannot be read ({_first_line(error)})") from error
        return {key: str(value) if isinstance(value, date) else value for key, value in found.items()}

    @cached_property
    def stages(self) -> dict[str, dict[str, Any]]:
        return {stage["name"]: stage for stage in self.summary.get("stages", [])}

    def metric(self, name: str) -> float | None:
        """``test/accuracy``, or ``generation_0:test/accuracy`` of a stage; None where it is absent or no number."""
        stage, colon, key = name.rpartition(":")
        metrics = self.stages.get(stage, {}).get("metrics", {}) if colon else self.summary.get("metrics", {})
        value = metrics.get(key)
        is_number = isinstance(value, int | float) and math.isfinite(value)
        return float(value) if is_number else None

    @property
    def trained(self) -> str | None:
        """The stage that trained last, whose metrics are the run's."""
        return next((name for name, stage in reversed(self.stages.items()) if stage.get("steps")), None)

    def predictions(self) -> tuple["np.ndarray", "np.ndarray"] | None:
        """Test logits [N, K] and labels [N] of that stage; None where no file has them."""
        import numpy as np

        try:
            with np.load(self.path / "predictions" / f"{self.trained}.npz") as arrays:
                return arrays["test_logits"], arrays["test_labels"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def matches(self, filters: dict[str, str]) -> bool:
        """Whether settings, ``seed`` or ``status`` have these values."""
        known = {"status": self.status, "seed": self.seed}
        for key, value in filters.items():
            found = known[key] if key in known else self.settings.get(ALIASES.get(key, key))
            if not says(value, found):
                return False
        return True


@dataclass
class Found:
    """Runs by what can be done with them. ``skipped``: folder and reason."""

    finished: list[Run] = field(default_factory=list)
    unfinished: list[Run] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def read(path: Path) -> Run:
    """The run in ``path``. Raises Unreadable."""
    run = Run(path, _document(path / "manifest.json"), {})
    missing = [key for key in ("status", "seed", "method", "dataset", "data") if key not in run.manifest]
    if missing:
        raise Unreadable(f"manifest.json lacks {', '.join(missing)}")
    kinds = {"seed": int, "data": dict, "method": str, "dataset": str}
    wrong = [key for key, kind in kinds.items() if not isinstance(run.manifest[key], kind)]
    if wrong:
        raise Unreadable(f"manifest.json has another kind of value as {', '.join(wrong)} than a run writes")
    if (path / "summary.json").exists() or run.status == "completed":
        run = Run(path, run.manifest, _document(path / "summary.json"))
    stages = run.summary.get("stages", [])
    is_whole = isinstance(stages, list) and all(isinstance(s, dict) and "name" in s for s in stages)
    if not is_whole or not isinstance(run.summary.get("metrics", {}), dict):
        raise Unreadable("summary.json has no metrics and stages as a run writes them")
    return run


def find(patterns: Iterable[str]) -> Found:
    """The runs that folders and globs name: each itself, or all below it. Raises InputError where one names nothing."""
    found = Found()
    for path in _folders(patterns):
        try:
            run = read(path)
            _ = run.settings
        except Unreadable as error:
            found.skipped.append((path, str(error)))
            continue
        (found.finished if run.status == "completed" else found.unfinished).append(run)
    return found


def _folders(patterns: Iterable[str]) -> list[Path]:
    folders: dict[Path, None] = {}
    for pattern in patterns:
        named = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern, recursive=True))
        if not named:
            raise InputError(f"{pattern}: there is no such folder")
        for path in map(Path, named):
            if path.is_dir():
                folders |= dict.fromkeys(run_folders(path) or [path])
            elif len(named) == 1:
                raise InputError(f"{pattern} is a file; name the folder of a run, or one with runs below it")
    return list(folders)


def run_folders(top: Path) -> list[Path]:
    """The run folders at and below ``top``, in order; what lies inside of one is not looked at."""
    return sorted(_below(top))


def _below(top: Path) -> Iterator[Path]:
    try:
        entries = list(os.scandir(top))
    except OSError:
        return
    if any(entry.name == "manifest.json" for entry in entries):
        yield top
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _below(top / entry.name)


def _document(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise Unreadable(f"{file.name} is not there") from error
    except (OSError, ValueError) as error:
        raise Unreadable(f"{file.name} cannot be read ({_first_line(error)})") from error
    if not isinstance(content, dict):
        raise Unreadable(f"{file.name} holds no JSON object")
    return content


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
