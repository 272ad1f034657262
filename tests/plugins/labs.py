"""Plugins for tests, and how they are forgotten."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore

from helpers import QUICK
from sdrun import tasks
from sdrun.plugins import decorators, loading, registry

LAB = '''"""One of each."""
from dataclasses import dataclass

import numpy as np
from torch import nn

import sdrun
from sdrun.objectives.taught import Taught
from sdrun.settings import MethodSettings


@dataclass
class TwiceSettings(MethodSettings):
    """``alpha``: weight of the teacher."""

    alpha: float = 0.5

    @property
    def roles(self):
        return ("weak",)

    @property
    def stages(self):
        return ("first", "second")


@sdrun.method("twice")
def run(settings: TwiceSettings, experiment):
    first = experiment.fit("first", Taught(experiment.student(0), experiment.answers), experiment.stream(0))
    second = Taught(experiment.student(1), experiment.answers, experiment.teacher([first]), alpha=settings.alpha)
    return experiment.fit("second", second, experiment.stream(1))


@sdrun.model("flat")
def flat(item, width: int = 8):
    return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(item.shape)), width), nn.ReLU())


@sdrun.dataset("stripes")
def stripes(size: int = 8):
    def part(num):
        lying = np.where(np.arange(size) % 4 < 2, 200, 50).astype(np.uint8)[:, None].repeat(size, axis=1)
        return [(lying.T if number % 2 else lying, number % 2) for number in range(num)]

    return part(100), part(40)
'''

ROOM = {
    "methods/once/settings.py": LAB[LAB.index("from dataclasses") : LAB.index("@sdrun.method")],
    "methods/once/recipe.py": LAB[LAB.index("@sdrun.method") : LAB.index("@sdrun.model")].partition("\n")[2],
    "conf/method/once.yaml": "name: once\nalpha: 0.25\n",
}
ROOM["methods/once/recipe.py"] = (
    "from sdrun.methods.once.settings import TwiceSettings\nfrom sdrun.objectives.taught import Taught\n\n\n"
    + ROOM["methods/once/recipe.py"]
)

FEW = ("optim.max_steps=3", "optim.batch_size=20", "log_every=1", *QUICK)
OWN = ("method=twice", "model=flat", "dataset=stripes", *FEW)


def lab(folder: Path, text: str = LAB, name: str = "my_lab.py") -> str:
    """A plugin in a file."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return str(file)


def rooms(folder: Path) -> str:
    """A plugin with a method and its choice in rooms."""
    for name, text in {"__init__.py": "", "methods/once/__init__.py": "", **ROOM}.items():
        lab(folder, text, name)
    return str(folder)


@contextmanager
def unplugged() -> Iterator[None]:
    """What is loaded while it lasts is forgotten: registries, rooms, choices, modules, the environment."""
    modules = set(sys.modules)
    own = {room: import_module(f"sdrun.{room}").__path__ for room in registry.ROOMS}
    places = {room: list(path) for room, path in own.items()}
    registries = (registry.loaded, registry.methods, registry.models, registry.datasets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(loading.VARIABLE, "")
        try:
            yield
        finally:
            for group in ("method", "model", "teacher_model", "dataset"):
                ConfigStore.instance().repo.pop(group, None)
            for entries in (*registries, tasks._loaded):
                entries.clear()
            for room, path in own.items():
                path[:] = places[room]
                registry.rooms[room].clear()
            for name in set(sys.modules) - modules:
                if "/pytest-of-" in str(getattr(sys.modules[name], "__file__", "")):
                    del sys.modules[name]
            decorators.loading.clear()
            os.environ.pop(loading.VARIABLE, None)
