"""Plugins that are named on the command line, in the environment, or by installed packages."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from sdrun.errors import InputError, require
from sdrun.plugins import decorators, registry
from sdrun.plugins.decorators import owner
from sdrun.plugins.registry import OPTION, ROOMS, Plugin
from sdrun.rooms import packages

VARIABLE, ENTRY_POINTS = "SDRUN_PLUGINS", "sdrun.plugins"


def taken(arguments: list[str]) -> list[str]:
    """Load the plugins that are installed, or named by the environment or by ``--plugin``; the other arguments.

    Processes that this one starts find them, too. Raises InputError where one cannot be loaded.
    """
    others, named = [], []
    words = iter(arguments)
    for word in words:
        option, equals, value = word.partition("=")
        if option != OPTION:
            others.append(word)
            continue
        value = value if equals else next(words, "")
        require(bool(value), OPTION, "needs a file, a folder or a module: --plugin my_lab.py")
        named.append(value)
    load_all(named)
    return others


def load_all(named: Iterable[str]) -> list[Plugin]:
    """Load the plugins that are installed, or named by the environment or here; the latter. Raises InputError."""
    for entry in entry_points(group=ENTRY_POINTS):
        _load(entry.module, None)
    for name in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        is_fixed = os.path.isabs(name) or not _is_path(name)
        require(is_fixed, VARIABLE, f"{name} would be another file in each folder; write its path from the root")
        load(name)
    plugins = {name: load(name) for name in map(_from_root, named)}
    if plugins:
        earlier = filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))
        os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*earlier, *plugins]))
    return list(plugins.values())


def _from_root(name: str) -> str:
    """A file or a folder by its path from the root; the name of a module as it is."""
    is_path = _is_path(name) or os.path.isdir(name)
    return os.path.abspath(os.path.expanduser(name)) if is_path else name


def _is_path(name: str) -> bool:
    return os.sep in name or name.endswith(".py")


def load(name: str) -> Plugin:
    """The plugin in a file or folder, or of a module. Raises InputError that names it where it is none."""
    if not _is_path(name):
        return _load(name, None)
    place = Path(name).resolve()
    require(place.exists(), OPTION, f"{name} is not there; name a file, a folder or a module")
    return _load(place.stem, place)


def _load(word: str, place: Path | None) -> Plugin:
    name = str(place or word)
    if word in registry.loaded:
        other = registry.loaded[word].place
        require(place in (None, other), OPTION, f"{name} has the name of {other}; rename one")
        return registry.loaded[word]
    count = _num_registered()
    decorators.loading.append(word)
    try:
        module = _imported(word, place)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{OPTION}: {name} cannot be imported ({reason})") from error
    finally:
        decorators.loading.pop()
    is_file = module.__spec__ is not None and module.__spec__.has_location  # no folder, and not built in
    require(is_file, OPTION, f"{name} has no __init__.py; name a module, or a package")
    folder = Path(str(module.__file__)).resolve()
    folder = folder.parent if folder.name == "__init__.py" else folder
    conf = _conf(word, folder / "conf")
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
    is_free = word not in sys.modules and _origin(word) in (None, file)
    require(is_free, OPTION, f"{place} has the name of another module, {word}; rename it")
    spec = importlib.util.spec_from_file_location(
        word, file, submodule_search_locations=[str(place)] if place.is_dir() else None
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[word] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[word]
        raise
    return module


def _origin(word: str) -> Path | None:
    """The file of the module that Python would import by this name."""
    spec = importlib.util.find_spec(word) if word.isidentifier() else None
    return Path(str(spec.origin)).resolve() if spec and spec.origin else None


def _conf(word: str, folder: Path) -> Path | None:
    """The folder of a plugin's choices, if it has one. Raises InputError where another has one of them."""
    if not folder.is_dir():
        return None
    for file in sorted(folder.rglob("*.yaml")):
        choice = file.relative_to(folder)
        is_new = owner(str(choice.parent), choice.stem) is None
        require(is_new, f"{word}: conf/{choice.as_posix()}", "is there already; choose another name")
    return folder


def _open_rooms(word: str, folder: Path) -> bool:
    """Let sdrun look for methods, models and tasks in the rooms of a folder, too."""
    there = [room for room in ROOMS if packages([str(folder / room)])]
    for room in there:
        place = str(folder / room)
        module = importlib.import_module(f"sdrun.{room}")
        for name in packages([place]):
            require(name not in module.names(), f"{word}: {room}/{name}", "is there already; choose another name")
        registry.rooms[room].append((place, word))
        module.__path__.append(place)
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
