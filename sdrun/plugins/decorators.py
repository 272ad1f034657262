"""How a plugin registers functions; ``sdrun.method``, ``sdrun.model`` and ``sdrun.dataset`` are these."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields, make_dataclass
from typing import Any, ClassVar, TypeVar, get_origin, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sdrun import methods, models
from sdrun.choices import conf_folder
from sdrun.errors import InputError, require
from sdrun.plugins import registry
from sdrun.plugins.registry import FunctionModelSettings, Registered
from sdrun.settings import MethodSettings
from sdrun.tasks import settings_class

DEFAULTS = {
    "images": ["/common/images@dataset", "_self_"],
    "text": ["/common/text@dataset", "_self_", {"override /model": "bag"}, {"override /optim": "adamw"}],
    "vectors": ["/common/vectors@dataset", "_self_", {"override /model": "mlp"}, {"override /optim": "adamw"}],
}
"""What the datasets of a task have in common, and which model and optimiser suit them."""

Function = TypeVar("Function", bound=Callable[..., Any])

SHARED = ("root", "download")
"""Settings of every dataset that a function may ask for."""

VALUES = "settings are numbers, texts, true or false, members of an Enum, or lists of these"

loading: list[str] = []
"""The plugin that is being imported, last. Where sdrun imports none, such as in tests of one, nothing is registered."""


def method(name: str) -> Callable[[Function], Function]:
    """Register ``run(settings, experiment)`` as a method. Settings are a MethodSettings whose fields have defaults."""

    def register(run: Function) -> Function:
        if not loading:
            return run
        cls = get_type_hints(run).get(next(iter(inspect.signature(run).parameters), ""))
        is_settings = inspect.isclass(cls) and issubclass(cls, MethodSettings)
        require(is_settings, _whose(name), "its first argument needs a subclass of MethodSettings as its type")
        assert cls
        _require_complete(name, cls)
        own = {
            field.name: _default(name, field.name, _of_field(field)) for field in fields(cls) if field.name != "name"
        }
        _register(registry.methods, "method", name, Registered(run, cls, loading[-1]), {"name": name, **own})
        return run

    return register


def model(name: str, *, takes: str = "images", taps: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Register ``make(item, width=32, ...)``, which gives a module from items to features [B, D], as a model.

    takes: the kind of items, such as ``images``, of shape ``item.shape``, or ``vectors``. taps: those of a Backbone.
    The further arguments need types and defaults; they are settings, such as ``model.width``.
    """

    def register(make: Function) -> Function:
        if not loading:
            return make
        forms = "its items are texts, of which a model says the form; write it as a folder of models/"
        require(takes != "texts", _whose(name), forms)
        own = _arguments(name, make, FunctionModelSettings, skip=1)
        namespace = {"takes": takes, "named_taps": tuple(taps), "__doc__": inspect.getdoc(make) or name}
        cls = make_dataclass(f"{name}Settings", _types(own), bases=(FunctionModelSettings,), namespace=namespace)
        node = {"name": name, "architecture": name, **{key: value for key, (_, value) in own.items()}}
        _register(registry.models, "model", name, Registered(make, cls, loading[-1]), node)
        return make

    return register


def dataset(name: str, *, task: str = "images") -> Callable[[Function], Function]:
    """Register ``load(root=None, ...)``, which gives training and test items, as a dataset.

    What it gives: two map-style Datasets of pairs (item, class), such as torchvision's, or a Published. Items: pictures
    or arrays of equal size for ``images``, strings for ``text``, numbers for ``vectors``. The further arguments need
    types and defaults; they are settings, such as ``dataset.size``.
    """

    def register(load: Function) -> Function:
        if not loading:
            return load
        require(task in DEFAULTS, _whose(name), f"its task is {task!r}, but must be one of {', '.join(DEFAULTS)}")
        arguments = _arguments(name, load, settings_class(task), SHARED)
        own = {key: value for key, value in arguments.items() if key not in SHARED}
        doc = {"__doc__": inspect.getdoc(load) or name}
        cls = make_dataclass(f"{name}Settings", _types(own), bases=(settings_class(task),), namespace=doc)
        values = {key: value for key, (_, value) in own.items()}
        measured: dict[str, Any] = {"val_size": None}
        measured |= {"mean": None, "std": None} if task == "images" else {}
        node = {"defaults": DEFAULTS[task], "dataset": {"name": name, **measured, **values}, "optim": {"epochs": 30}}
        _register(
            registry.datasets, "dataset", name, Registered(load, cls, loading[-1], task), node, package="_global_"
        )
        return load

    return register


def owner(group: str, name: str) -> str | None:
    """Who has a choice of settings already, or what it would stand for; None if nobody."""
    if name in registry.registered(group):
        return registry.registered(group)[name].plugin
    folders = {plugin.name: plugin.conf for plugin in registry.loaded.values() if plugin.conf}
    folders["sdrun itself"] = conf_folder()
    return next((who for who, folder in folders.items() if (folder / group / f"{name}.yaml").is_file()), None)


def _register(
    entries: dict[str, Registered], group: str, name: str, entry: Registered, node: dict[str, Any], package: str = ""
) -> None:
    is_word = name.isidentifier() and name.islower()
    require(is_word, _whose(name), "a name is of small letters, digits and _, and begins with a letter")
    others = {"method": methods.names, "model": models.names}.get(group, list)()
    other = owner(group, name) or ("sdrun itself" if name in others else None)
    require(other is None, _whose(name), f"{group}={name} is registered already, by {other}; choose another name")
    from hydra.core.config_store import ConfigStore

    try:
        OmegaConf.structured(entry.settings)
        ConfigStore.instance().store(name=name, node=node, group=group, package=package or group, provider=entry.plugin)
    except OmegaConfBaseException as error:
        reason = f"{error.key or 'a setting'}: {str(error).splitlines()[0]}; {VALUES}"
        raise InputError(f"{_whose(name)}: {reason}") from error
    entries[name] = entry


def _whose(name: str) -> str:
    return f"{loading[-1]}: {name}"


def _require_complete(name: str, cls: type[MethodSettings]) -> None:
    """Raise InputError for settings that could not be made, or of which some would not be seen."""
    lacking = ", ".join(sorted(cls.__abstractmethods__))
    require(not lacking, _whose(name), f"{cls.__name__} lacks {lacking}")
    hints = {key for key, kind in get_type_hints(cls).items() if get_origin(kind) is not ClassVar}
    is_dataclass = hints == {field.name for field in fields(cls)}
    require(is_dataclass, _whose(name), f"{cls.__name__} needs @dataclass above it")
    at_root = ", ".join(field.name for field in fields(cls) if field.metadata.get("root"))
    require(not at_root, _whose(name), f"its setting {at_root} cannot be of the root; leave its metadata out")


def _arguments(
    name: str, function: Callable[..., Any], base: type, shared: tuple[str, ...] = (), skip: int = 0
) -> dict[str, tuple[Any, Any]]:
    """Type and default of each argument. Raises InputError where one has none, or the name of a setting of ``base``."""
    types = get_type_hints(function)
    reserved = {field.name for field in fields(base)} | set(dir(base))
    arguments = {}
    for key, parameter in list(inspect.signature(function).parameters.items())[skip:]:
        is_plain = key in types and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        require(is_plain, _whose(name), f"its argument {key} needs a type, such as {key}: int = 1")
        is_own = key in shared or key not in reserved
        require(is_own, _whose(name), f"its argument {key} has the name of another setting; choose another")
        default = MISSING if parameter.default is parameter.empty else parameter.default
        arguments[key] = (types[key], _default(name, key, default))
    return arguments


def _of_field(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _default(name: str, key: str, value: Any) -> Any:
    require(value is not MISSING, _whose(name), f"its setting {key} needs a default, such as {key} = 1")
    return list(value) if isinstance(value, tuple) else value


def _types(arguments: dict[str, tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [(key, kind) for key, (kind, _) in arguments.items()]
