"""How a plugin registers functions; ``sdrun.method``, ``sdrun.model`` and ``sdrun.dataset`` are these."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, make_dataclass
from typing import Any, TypeVar, get_type_hints

from hydra.core.config_store import ConfigStore

from sdrun.configuration import conf_folder
from sdrun.errors import require
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

loading: list[str] = []
"""The plugin that is being imported, last."""


def method(name: str) -> Callable[[Function], Function]:
    """Register ``run(settings, experiment)`` as a method. Settings are a MethodSettings whose fields have defaults."""

    def register(run: Function) -> Function:
        cls = get_type_hints(run).get(next(iter(inspect.signature(run).parameters), ""))
        is_settings = inspect.isclass(cls) and issubclass(cls, MethodSettings)
        require(is_settings, _whose(name), "its first argument needs a subclass of MethodSettings as its type")
        assert cls
        own = {field.name: _default(name, field.name, field.default) for field in fields(cls) if field.name != "name"}
        _register(registry.methods, "method", name, Registered(run, cls, loading[-1]), {"name": name, **own})
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
        require(task in DEFAULTS, _whose(name), f"its task is {task!r}, but must be one of {', '.join(DEFAULTS)}")
        own = {key: value for key, value in _arguments(name, load).items() if key != "root"}
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


def _register(
    entries: dict[str, Registered], group: str, name: str, entry: Registered, node: dict[str, Any], package: str = ""
) -> None:
    is_word = name.isidentifier() and name.islower()
    require(is_word, _whose(name), "a name is of small letters, digits and _, and begins with a letter")
    other = entries[name].plugin if name in entries else "sdrun itself" if name in _own(group) else None
    require(other is None, _whose(name), f"{group}={name} is registered already, by {other}; choose another name")
    entries[name] = entry
    ConfigStore.instance().store(name=name, node=node, group=group, package=package or group, provider=entry.plugin)


def _own(group: str) -> list[str]:
    """The choices that sdrun has itself."""
    return [file.stem for file in (conf_folder() / group).glob("*.yaml")]


def _whose(name: str) -> str:
    return f"{loading[-1]}: {name}" if loading else name


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
