"""What others add: methods, models, datasets and tasks, in a file, a folder or an installed package. Imports no torch.

A plugin registers functions by decorators, or has rooms as sdrun has them: folders ``methods``, ``models`` and ``tasks``,
and choices of settings in ``conf``. It is named on the command line or in the environment, never by settings.
"""

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, make_dataclass
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, TypeVar, get_type_hints

from hydra.core.config_store import ConfigStore

from sdrun.errors import InputError, require
from sdrun.rooms import packages
from sdrun.settings import MethodSettings, ModelSettings

OPTION, VARIABLE, ENTRY_POINTS = "--plugin", "SDRUN_PLUGINS", "sdrun.plugins"
ROOMS = ("methods", "models", "tasks")
DEFAULTS = {
    "images": ["/common/images@dataset", "_self_"],
    "text": ["/common/text@dataset", "_self_", {"override /model": "bag"}, {"override /optim": "adamw"}],
    "vectors": ["/common/vectors@dataset", "_self_", {"override /model": "mlp"}, {"override /optim": "adamw"}],
}
"""What the datasets of a task have in common, and which model and optimiser suit them."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Plugin:
    """``place``: its file or folder; ``sha256``: of its source; ``conf``: the folder of its choices, if there is one."""

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
rooms: dict[str, list[tuple[str, str]]] = {room: [] for room in ROOMS}
"""By room, folders that have more of it, each with its plugin."""

_loading: list[str] = []


# Decorators ---------------------------------------------------------------------------------------------------------


def method(name: str) -> Callable[[Function], Function]:
    """Register ``run(settings, experiment)`` as a method. Settings are a MethodSettings whose fields have defaults."""

    def register(run: Function) -> Function:
        cls = get_type_hints(run).get(next(iter(inspect.signature(run).parameters), ""))
        is_settings = inspect.isclass(cls) and issubclass(cls, MethodSettings)
        require(is_settings, _whose(name), "its first argument needs a subclass of MethodSettings as its type")
        assert cls
        own = {field.name: _default(name, field.name, field.default) for field in fields(cls) if field.name != "name"}
        _register(methods, "method", name, Registered(run, cls, _loading[-1]), {"name": name, **own})
        return run

    return register


def model(name: str, *, takes: str = "images", taps: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Register ``make(item, width=32, ...)``, which gives a module from items to features [B, D], as a model.

    takes: the kind of items, such as ``images``, of shape ``item.shape``, or ``vectors``. taps: those of a Backbone.
    The further arguments need types and defaults; they are settings, such as ``model.width``.
    """

    def register(make: Function) -> Function:
        own = _arguments(name, make, skip=1)
        namespace = {"takes": takes, "named_taps": tuple(taps), "__doc__": inspect.getdoc(make) or name}
        cls = make_dataclass(f"{name}Settings", _types(own), bases=(FunctionModelSettings,), namespace=namespace)
        node = {"name": name, "architecture": name, **{key: value for key, (_, value) in own.items()}}
        _register(models, "model", name, Registered(make, cls, _loading[-1]), node)
        return make

    return register


def dataset(name: str, *, task: str = "images") -> Callable[[Function], Function]:
    """Register ``load(root=None, ...)``, which gives training and test items, as a dataset.

    What it gives: two map-style Datasets of pairs (item, class), such as torchvision's, or a Published. Items: pictures
    or arrays of equal size for ``images``, strings for ``text``, numbers for ``vectors``. The further arguments need
    types and defaults; they are settings, such as ``dataset.size``.
    """

    def register(load: Function) -> Function:
        from sdrun.tasks import settings_class

        require(task in DEFAULTS, _whose(name), f"its task is {task!r}, but must be one of {', '.join(DEFAULTS)}")
        own = {key: value for key, value in _arguments(name, load).items() if key != "root"}
        doc = {"__doc__": inspect.getdoc(load) or name}
        cls = make_dataclass(f"{name}Settings", _types(own), bases=(settings_class(task),), namespace=doc)
        values = {key: value for key, (_, value) in own.items()}
        measured = {key: None for key in ("val_size", "mean", "std") if key in {field.name for field in fields(cls)}}
        node = {"defaults": DEFAULTS[task], "dataset": {"name": name, **measured, **values}, "optim": {"epochs": 30}}
        _register(datasets, "dataset", name, Registered(load, cls, _loading[-1], task), node, package="_global_")
        return load

    return register


def _register(
    registry: dict[str, Registered], group: str, name: str, entry: Registered, node: dict[str, Any], package: str = ""
) -> None:
    is_word = name.isidentifier() and name.islower()
    require(is_word, _whose(name), "a name is of small letters, digits and _, and begins with a letter")
    other = registry[name].plugin if name in registry else "sdrun itself" if name in _own(group) else None
    require(other is None, _whose(name), f"{group}={name} is registered already, by {other}; choose another name")
    registry[name] = entry
    ConfigStore.instance().store(name=name, node=node, group=group, package=package or group, provider=entry.plugin)


def _own(group: str) -> list[str]:
    """The choices that sdrun has itself."""
    from sdrun.configuration import conf_folder

    return [file.stem for file in (conf_folder() / group).glob("*.yaml")]


def _whose(name: str) -> str:
    return f"{_loading[-1]}: {name}" if _loading else name


def _arguments(name: str, function: Callable[..., Any], skip: int = 0) -> dict[str, tuple[Any, Any]]:
    """Type and default of each argument. Raises InputError where one has none."""
    types = get_type_hints(function)
    arguments = {}
    for key, parameter in list(inspect.signature(function).parameters.items())[skip:]:
        is_plain = key in types and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        require(is_plain, _whose(name), f"its argument {key} needs a type, such as {key}: int = 1")
        default = MISSING if parameter.default is parameter.empty else parameter.default
        arguments[key] = (types[key], _default(name, key, default))
    return arguments


def _default(name: str, key: str, value: Any) -> Any:
    require(value is not MISSING, _whose(name), f"its setting {key} needs a default, such as {key} = 1")
    return list(value) if isinstance(value, tuple) else value


def _types(arguments: dict[str, tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [(key, kind) for key, (kind, _) in arguments.items()]


# Which plugins ------------------------------------------------------------------------------------------------------


def taken(arguments: list[str]) -> list[str]:
    """Load the plugins that are installed, or named by the environment or by ``--plugin``; the other arguments.

    Processes that this one starts find them, too. Raises InputError where one cannot be loaded.
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
        if entry.value.partition(":")[0] not in loaded:
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
    if word in loaded:
        is_same = place is None or loaded[word].place == place
        require(is_same, OPTION, f"{name} has the name of {loaded[word].place}; rename one")
        return loaded[word]
    count = len(methods) + len(models) + len(datasets)
    _loading.append(word)
    try:
        module = _imported(word, place)
    except InputError:
        raise
    except BaseException as error:
        raise InputError(f"{OPTION}: {name} cannot be imported ({type(error).__name__}: {error})") from error
    finally:
        _loading.pop()
    folder = Path(str(module.__file__)).resolve()
    folder = folder.parent if folder.name == "__init__.py" else folder
    conf = folder / "conf" if (folder / "conf").is_dir() else None
    has_rooms = _open_rooms(word, folder)
    adds = has_rooms or len(methods) + len(models) + len(datasets) > count
    require(adds, OPTION, f"{name} registers nothing; see sdrun.method, sdrun.model, sdrun.dataset")
    loaded[word] = Plugin(word, folder, _digest(folder), conf)
    return loaded[word]


def _imported(word: str, place: Path | None) -> ModuleType:
    if place is None:
        return importlib.import_module(word)
    file = place / "__init__.py" if place.is_dir() else place
    require(file.is_file(), OPTION, f"{place} has no __init__.py; name a module, or a package")
    spec = importlib.util.spec_from_file_location(word, file, submodule_search_locations=[str(place)] if place.is_dir() else None)
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
        rooms[room].append((str(folder / room), word))
        importlib.import_module(f"sdrun.{room}").__path__.append(str(folder / room))
    return bool(there)


def _digest(place: Path) -> str:
    """SHA-256 of a file, or of all Python and YAML files of a folder."""
    files = sorted(file for kind in ("*.py", "*.yaml") for file in place.rglob(kind)) if place.is_dir() else [place]
    digest = sha256()
    for file in files:
        digest.update(str(file.relative_to(place)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def needed(method: str, architecture: str, task: str, dataset: str) -> dict[str, str]:
    """The hashes of those plugins, by name, that give a run what it uses."""
    found = {entry.plugin for entry in _entries(method, architecture, dataset)}
    found |= {word for room, name in zip(ROOMS, (method, architecture, task), strict=True) for word in _with(room, name)}
    return {name: loaded[name].sha256 for name in sorted(found)}


def _entries(method: str, architecture: str, dataset: str) -> Iterator[Registered]:
    for registry, name in ((methods, method), (models, architecture), (datasets, dataset)):
        if name in registry:
            yield registry[name]


def _with(room: str, name: str) -> Iterator[str]:
    return (word for folder, word in rooms[room] if name in packages([folder]))


def require_loaded(recorded: dict[str, str], run: str) -> None:
    """Raise InputError where a plugin that a run needs is not there, which is never imported by itself."""
    lacking = [name for name in recorded if name not in loaded]
    options = " ".join(f"{OPTION} {name}.py" for name in lacking)
    require(not lacking, run, f"needs the plugin {', '.join(lacking)}, which no run folder brings along; add {options}")
