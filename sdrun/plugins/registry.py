"""Which plugins there are, and what they add."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sdrun.errors import require
from sdrun.rooms import packages
from sdrun.settings import ModelSettings

OPTION = "--plugin"
ROOMS = ("methods", "models", "tasks")


@dataclass(frozen=True)
class Plugin:
    """``place``: its file or folder; ``sha256``: of its source; ``conf``: the folder of its choices, if any."""

    name: str
    place: Path
    sha256: str
    conf: Path | None = None


@dataclass(frozen=True)
class Registered:
    """``settings``: the class of what ``function`` is called with; ``task``: of a dataset."""

    function: Callable[..., Any]
    settings: type
    plugin: str
    task: str = ""


@dataclass
class FunctionModelSettings(ModelSettings):
    """Settings of a model that a function makes; its own are the function's arguments."""

    takes: ClassVar[str] = "images"
    smallest_batch: ClassVar[int] = 2
    named_taps: ClassVar[tuple[str, ...]] = ()

    @property
    def taps(self) -> list[str]:
        return list(self.named_taps)


loaded: dict[str, Plugin] = {}
methods: dict[str, Registered] = {}
models: dict[str, Registered] = {}
datasets: dict[str, Registered] = {}


def registered(group: str) -> dict[str, Registered]:
    """The choices of a group that functions are."""
    return {"method": methods, "model": models, "dataset": datasets}.get(group, {})


rooms: dict[str, list[tuple[str, str]]] = {room: [] for room in ROOMS}
"""By room, folders that have more of it, each with the name of its plugin."""


def needed(method: str, architectures: Sequence[str], task: str, dataset: str) -> dict[str, str]:
    """The hashes of those plugins, by name, that give a run what it uses."""
    chosen = ((methods, method), *((models, name) for name in architectures), (datasets, dataset))
    used = {registry[name].plugin for registry, name in chosen if name in registry}
    in_rooms = [("methods", method), *(("models", name) for name in architectures), ("tasks", task)]
    for room, name in in_rooms:
        used |= {plugin for folder, plugin in rooms[room] if name in packages([folder])}
    return {name: loaded[name].sha256 for name in sorted(used)}


def require_loaded(recorded: dict[str, str], run: str) -> None:
    """Raise InputError where a plugin that a run needs is not there, which is never imported by itself."""
    lacking = ", ".join(name for name in recorded if name not in loaded)
    way_out = f"name its file, folder or module by {OPTION}"
    require(not lacking, run, f"needs the plugin {lacking}, which no run folder brings along; {way_out}")
