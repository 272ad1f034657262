"""Methods, models, tasks and datasets that are not sdrun's own, in folders of their own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from sdrun.rooms import packages

HERE = Path(__file__).resolve().parent
ROOMS = HERE / "rooms"
EXAMPLES = HERE.parent / "examples"


@contextmanager
def further_rooms(folders: Mapping[ModuleType, Path]) -> Iterator[None]:
    """While it lasts, sdrun also finds what is in these folders: by the package that has such rooms."""
    with pytest.MonkeyPatch.context() as patch:
        for room, folder in folders.items():
            patch.setattr(room, "__path__", [*room.__path__, str(folder)])
        yield


def searched(folder: Path) -> str:
    """The override by which Hydra finds the choices in a folder, too."""
    return f"hydra.searchpath=['{folder}']"


def method(name: str) -> tuple[str, ...]:
    """The overrides that choose a method of sdrun, or one of the examples."""
    return (f"method={name}", *([searched(EXAMPLES / "conf")] if _is_example(name) else []))


def program(name: str) -> tuple[str, ...]:
    """What Python is to run, to run this method."""
    return (str(EXAMPLES / "run.py"),) if _is_example(name) else ("-m", "sdrun")


def _is_example(name: str) -> bool:
    return name in packages([str(EXAMPLES)])
