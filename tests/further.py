"""Methods, models, tasks and datasets that are not sdrun's own, in folders of their own."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType

import pytest

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


NEEDED: dict[str, dict[str, tuple[str, ...]]] = {
    "images": {"compress": ("teacher_model=resnet8",)},
    "images without BatchNorm": {"compress": ("teacher_model=vit_tiny", "teacher_model.width=24")},
    "texts": {"compress": ("teacher_model=bag",)},
    "vectors": {"compress": ("teacher_model=mlp",)},
}
"""Overrides that a method cannot do without, by the kind of items and its name."""


def method(name: str, kind: str = "images") -> tuple[str, ...]:
    """The overrides that choose a method of sdrun, or of the example, and make it run on such items."""
    folders = [searched(EXAMPLE / "conf")] if name in _EXAMPLES else []
    return (f"method={name}", *NEEDED[kind].get(name, ()), *folders)
