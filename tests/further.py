"""Methods, models, tasks and datasets that are not sdrun's own, in folders of their own."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest

from helpers import SMALL, SMALL_TEXTS, SMALL_TRANSFORMER, SMALL_VIT, start
from sdrun import methods
from sdrun.rooms import packages

HERE = Path(__file__).resolve().parent
ROOMS = HERE / "rooms"
EXAMPLE = HERE.parent / "examples/r_drop"
"""A plugin with rooms."""

_EXAMPLES = packages([str(EXAMPLE / "methods")])
METHODS = [*methods.names(), *_EXAMPLES]
"""Every method of sdrun, and every one of the example."""


@contextmanager
def further_rooms(folders: Mapping[ModuleType, Path]) -> Iterator[None]:
    """While it lasts, sdrun also finds what is in these folders: by the package that has such rooms."""
    with pytest.MonkeyPatch.context() as patch:
        for room, folder in folders.items():
            patch.setattr(room, "__path__", [*room.__path__, str(folder)])
        yield


def example() -> AbstractContextManager[None]:
    """The rooms of the example."""
    return further_rooms({methods: EXAMPLE / "methods"})


def searched(folder: Path) -> str:
    """The override by which Hydra finds the choices in a folder, too."""
    return f"hydra.searchpath=['{folder}']"


_BASES: dict[str, tuple[str, ...]] = {
    "images": SMALL,
    "images without BatchNorm": SMALL_VIT,
    "texts": (*SMALL_TEXTS, "model=bag"),
    "texts in pieces": (*SMALL_TEXTS, *SMALL_TRANSFORMER),
}
_TEACHERS = {
    "images": ("teacher_model=cnn", "teacher_model.widths=[12,12]"),
    "images without BatchNorm": ("teacher_model=vit_tiny", "teacher_model.width=24", "teacher_model.depth=2"),
    "texts": ("teacher_model=bag",),
    "texts in pieces": tuple(f"teacher_{word}" for word in SMALL_TRANSFORMER),
    "vectors": ("teacher_model=mlp",),
}
_folder = TemporaryDirectory()


@cache
def teacher(kind: str) -> str:
    """The folder of a run on such items, whose network another one may learn from."""
    path = Path(_folder.name) / kind.replace(" ", "_")
    with redirect_stdout(StringIO()):
        return str(start(path, "method=supervised", "optim.epochs=2", base=_BASES[kind]))


def _needed(name: str, kind: str, run: str | None) -> tuple[str, ...]:
    """Overrides that a method cannot do without."""
    if name == "compress":
        return (*_TEACHERS[kind], "method.alone=false")
    if name == "online":
        stream = "rotation" if kind.startswith("images") else "class_frequency"
        sizes = ("dataset.num_labels=40", "dataset.stream.periods=2", "dataset.stream.held_out=30", "method.drop=0")
        return (f"dataset/stream={stream}", *sizes)
    if name == "continual":
        return ("dataset/stream=classes", "dataset.stream.num=2", "method.buffer=20", "optim.batch_size=20")
    return (f"teacher_from={run or teacher(kind)}", "method.bits=2") if name == "quantise" else ()


def method(name: str, kind: str = "images", run: str | None = None) -> tuple[str, ...]:
    """The overrides that choose a method of sdrun, or of the example, and make it run on such items.

    ``run``: that it learns from where it needs one; by default one that is made.
    """
    folders = [searched(EXAMPLE / "conf")] if name in _EXAMPLES else []
    return (f"method={name}", *_needed(name, kind, run), *folders)
