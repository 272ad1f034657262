"""How a run begins: its folder, its manifest, and what is said of its data."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sdrun import configuration
from sdrun.counting import Size
from sdrun.data.labelled import Splits
from sdrun.display import Display
from sdrun.hardware import Hardware
from sdrun.provenance import git_state, versions
from sdrun.recorded import origin, plugins_of
from sdrun.results import ITEMS
from sdrun.settings import Settings
from sdrun.settings.words import counted
from sdrun.storage.folder import NO_FILES, RunFolder

log = logging.getLogger(__name__)

MOST_NAMED = 8
"""Stages that are named, before a range of them is."""


def create(
    path: Path | None,
    settings: Settings,
    hardware: Hardware,
    overrides: list[str],
    files: Mapping[str, str] = NO_FILES,
    /,
    title: str | None = None,
    **more: Any,
) -> Path:
    """A new run folder at ``path`` with these ``files`` in it; ``more`` goes to its manifest.

    Raises InputError where a run is there already, and leaves that one as it is.
    """
    assert path
    manifest = {
        "status": "running",
        "created": _now(),
        "method": settings.method.name,
        "title": title or settings.method.name,
        "model": settings.model.title,
        "dataset": settings.dataset.name,
        "seed": settings.seed,
        "overrides": overrides,
        "versions": {**versions()},
        "plugins": plugins_of(settings),
        "git": git_state(),
        "hardware": hardware.describe(),
        "data": {},
        "items": {},
        "teachers": {},
        "init": None,
        "wall_seconds": 0.0,
        "resumed": [],
        **more,
    }
    RunFolder.create(path, manifest, configuration.to_yaml(settings), files)
    return path


def note_damage(folder: RunFolder, settings: Settings) -> None:
    """Weights that do not count are not made again; what counts is required whole where it is used."""
    for name in folder.damaged_weights():
        if not name.endswith((f"/{settings.optim.select.value}.pt", f"/{ITEMS}.pt")):
            folder.note_damage(f"{name} is not what this run wrote; no result rests on it")


def tell(folder: RunFolder, settings: Settings, splits: Splits, display: Display) -> None:
    """Note that the run is under way, and on which items."""
    is_resumed = bool(folder.manifest["data"])
    if is_resumed:
        folder.manifest["resumed"].append(_now())
    items = {**asdict(splits.item), "num_train": len(splits.train), "classes": splits.classes}
    folder.manifest.update(data=splits.fingerprints(), items=items, init=origin(settings))
    display.say(f"{'Resuming' if is_resumed else 'Run'} {folder.path}")
    if not is_resumed:
        display.tell("Data", splits.facts)
    for doubt in splits.doubts:
        log.warning("%s", doubt)


def called(folder: RunFolder, settings: Settings) -> dict[str, str]:
    """Its stages, as a person calls them: one named after the method as the method was asked for."""
    method, title = settings.method, folder.manifest.get("title")
    return {stage: title if title and stage == method.name else stage for stage in settings.stages}


def foretell(
    settings: Settings, backbone: Size | None, num_steps: int, display: Display, is_longest: bool = False
) -> None:
    """Say what will be trained, and for how many steps a stage, or the longest of the stages."""
    if backbone:
        told = f"{backbone.parameters:,} parameters, {backbone.multiply_adds:,} multiply-adds an item"
        display.tell("Model", [f"{settings.model.title}: {told}, without its heads"])
    stages, most = display.outlook.stages, "at most " if settings.optim.early_stop or is_longest else ""
    names = ", ".join(stages) if len(stages) <= MOST_NAMED else f"{stages[0]}, {stages[1]} to {stages[-1]}"
    display.tell("Training", [f"{counted(len(stages), 'stage')} of {most}{num_steps:,} steps: {names}"])


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
