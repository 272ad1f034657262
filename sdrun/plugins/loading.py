"""Plugins that are named on the command line, in the environment, or by installed packages."""

import importlib
import importlib.util
import os
import sys
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from sdrun.errors import InputError, require
from sdrun.plugins import decorators, registry
from sdrun.plugins.registry import OPTION, ROOMS, Plugin
from sdrun.rooms import packages

VARIABLE, ENTRY_POINTS = "SDRUN_PLUGINS", "sdrun.plugins"


def taken(arguments: list[str]) -> list[str]:
    """Load the plugins that are installed, or named by the environment or by ``--plugin``; the other arguments.

    Processes that this one starts find them, too. Raises InputError where one cannot be registry.loaded.
    """
    others, named = [], [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    words = iter(arguments)
    for word in words:
        option, equals, value = word.partition("=")
        if option != OPTION:
            others.append(word)
            continue
        value = value if equals else next(words, "")
        require(bool(value), OPTION, "needs a file, a folder or a module: --plugin my_lab.py")
        named.append(os.path.abspath(os.path.expanduser(value)) if _is_path(value) else value)
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.value.partition(":")[0] not in registry.loaded:
            load(entry.value.partition(":")[0])
    for name in dict.fromkeys(named):
        load(name)
    if named:
        os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys(named))
    return others


def _is_path(name: str) -> bool:
    return os.sep in name or name.endswith(".py") or os.path.isdir(name)


def load(name: str) -> Plugin:
    """The plugin in a file or folder, or of a module. Raises InputError that names it where it is none."""
    place = Path(name) if _is_path(name) else None
    require(place is None or place.exists(), OPTION, f"{name} is not there; name a file, a folder or a module")
    word = place.stem if place else name
    if word in registry.loaded:
        is_same = place is None or registry.loaded[word].place == place
        require(is_same, OPTION, f"{name} has the name of {registry.loaded[word].place}; rename one")
        return registry.loaded[word]
    count = _num_registered()
    decorators.loading.append(word)
    try:
        module = _imported(word, place)
    except InputError:
        raise
    except BaseException as error:
        raise InputError(f"{OPTION}: {name} cannot be imported ({type(error).__name__}: {error})") from error
    finally:
        decorators.loading.pop()
    folder = Path(str(module.__file__)).resolve()
    folder = folder.parent if folder.name == "__init__.py" else folder
    conf = folder / "conf" if (folder / "conf").is_dir() else None
    has_rooms = _open_rooms(word, folder)
    adds = has_rooms or _num_registered() > count
    require(adds, OPTION, f"{name} registers nothing; see sdrun.method, sdrun.model, sdrun.dataset")
    registry.loaded[word] = Plugin(word, folder, _digest(folder), conf)
    return registry.loaded[word]


def _imported(word: str, place: Path | None) -> ModuleType:
    if place is None:
        return importlib.import_module(word)
    file = place / "__init__.py" if place.is_dir() else place
    require(file.is_file(), OPTION, f"{place} has no __init__.py; name a module, or a package")
    spec = importlib.util.spec_from_file_location(
        word, file, submodule_search_locations=[str(place)] if place.is_dir() else None
    )
    assert spec
    assert spec.loader
    require(word not in sys.modules, OPTION, f"{place} has the name of another module, {word}; rename it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[word] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[word]
        raise
    return module


def _open_rooms(word: str, folder: Path) -> bool:
    """Let sdrun look for methods, models and tasks in the rooms of a folder, too."""
    there = [room for room in ROOMS if packages([str(folder / room)])]
    for room in there:
        registry.rooms[room].append((str(folder / room), word))
        importlib.import_module(f"sdrun.{room}").__path__.append(str(folder / room))
    return bool(there)


def _digest(place: Path) -> str:
    """SHA-256 of a file, or of all Python and YAML files of a folder."""
    files = sorted(file for kind in ("*.py", "*.yaml") for file in place.rglob(kind)) if place.is_dir() else [place]
    digest = sha256()
    for file in files:
        digest.update(str(file.relative_to(place)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _num_registered() -> int:
    return len(registry.methods) + len(registry.models) + len(registry.datasets)
