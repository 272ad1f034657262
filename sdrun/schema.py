"""Which settings classes a composition asks for, by the names in it. Imports no torch."""

from copy import deepcopy
from functools import cache
from typing import Any, get_args, get_type_hints

from omegaconf import DictConfig, OmegaConf

from sdrun import methods, models, tasks
from sdrun.errors import InputError, require
from sdrun.keys import keys_at_root
from sdrun.settings import OPTIMS, STREAMS, HardwareSettings, ModelSettings, Settings


def classes(values: dict) -> dict[str, type]:
    """The settings class of each group, by the names in the composition."""
    return {
        "method": methods.settings_class(_named(values, "method", "name", methods.names())),
        "model": _family(values, "model"),
        "dataset": tasks.settings_class(
            _named(values, "dataset", "task", tasks.names()), values["dataset"].get("name")
        ),
        "optim": OPTIMS[_named(values, "optim", "name", OPTIMS)],
        "hardware": HardwareSettings,
    }


def _family(values: dict, group: str) -> type:
    return models.settings_class(_named(values, group, "architecture", models.names()))


def _stream(content: Any) -> type:
    kind = content.get("kind") if isinstance(content, dict) else None
    require(kind in STREAMS, "dataset.stream", f"is {content!s:.60}; choose one by dataset/stream={'|'.join(STREAMS)}")
    return STREAMS[str(kind)]


def _named(values: dict, group: str, key: str, names: dict[str, Any] | list[str]) -> str:
    content = values.get(group)
    if not isinstance(content, dict):
        raise InputError(f"{group}: is missing; choose one by {group}=NAME")
    name = content.get(key)
    require(name in names, f"{group}.{key}", f"is {name!r}, but only {', '.join(names)} are known")
    return str(name)


def networks(method: type, values: dict) -> list[str]:
    """The settings of a method that are models and are there."""
    kinds = get_type_hints(method)
    return [name for name in keys_at_root(method) if ModelSettings in get_args(kinds[name]) and values.get(name)]


def laid_out(groups: dict[str, type], values: dict) -> DictConfig:
    """Typed settings in which nothing is set yet: those of each group, of a stream, and of further networks."""
    parts = list(groups.items())
    if (stream := values["dataset"].get("stream")) is not None:
        parts.append(("dataset.stream", _stream(stream)))
    names = networks(groups["method"], values["method"])
    return deepcopy(_typed(*parts, *((f"method.{name}", _family(values["method"], name)) for name in names)))


@cache
def _typed(*parts: tuple[str, type]) -> DictConfig:
    """Settings of these classes, by their keys, in which nothing is set yet."""
    typed = OmegaConf.structured(Settings)
    for key, cls in parts:
        OmegaConf.update(typed, key, OmegaConf.structured(cls), merge=False)
    return typed
