"""From Hydra's composition to typed settings, with short errors that name the key. Imports no torch."""

import math
import os
from contextlib import suppress
from dataclasses import asdict, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from sdrun.choices import SAME, choices, conf_folder
from sdrun.errors import InputError, require
from sdrun.keys import keys_at_root, unknown
from sdrun.schema import classes, laid_out, networks
from sdrun.settings import ROLES, HardwareSettings, Settings, words
from sdrun.settings.model import named

NESTED = ("dataset.stream.groups", "dataset.stream.alike", "dataset.label_noise_matrix")
"""Settings that are lists of lists."""


def version() -> str:
    """A name for a run that sorts by its start and that no other process of this machine has."""
    now = datetime.now()
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}-{os.getpid()}"


def register() -> None:
    """What compositions need beside files: ``${version:}``, one a job, and the groups that have another's choices."""
    from hydra.core.config_store import ConfigStore

    OmegaConf.register_new_resolver("version", version, use_cache=True, replace=True)
    for group, other in SAME.items():
        for name in choices(group):
            node = {"defaults": [{f"/{other}@_here_": name}, "_self_"]}
            ConfigStore.instance().store(name=name, node=node, group=group, package=group, provider="sdrun")


def settings_from(config: DictConfig) -> Settings:
    """Typed and checked settings. Raises InputError for an unknown key, a wrong type or a value out of range."""
    schema: dict[str, type] = {}
    try:
        values: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        if key := words.interpolated(values):
            raise InputError(
                f"{key}: holds ${{ as a text, which a run cannot keep; rename what it names, or link to it"
            )
        for key, value in words.leaves(values):
            _require_usable(key, value)
        schema = classes(values)
        _move_root_keys(values, schema["method"])
        views = values["dataset"].get("views")
        if "views" in get_type_hints(schema["dataset"]):
            require(isinstance(views, dict), "dataset.views", "needs the views by role; see: sdrun --cfg job")
            for role in views:  # OmegaConf would ask for what is missing in it
                require(role in ROLES, "dataset.views", f"is {role!r}, but the views are {', '.join(ROLES)}")
        typed = laid_out(schema, values)
        for name in networks(schema["method"], values["method"]):
            with named(name), suppress(OmegaConfBaseException):  # whose errors come below, with the whole key
                OmegaConf.to_object(OmegaConf.merge(typed.method[name], values["method"][name]))
        merged = OmegaConf.unsafe_merge(typed, values)  # of which neither is used again as a node
        _require_as_given(merged, values, keys_at_root(schema["method"]))
        return OmegaConf.to_object(merged)  # type: ignore[return-value]
    except ConfigKeyError as error:
        raise InputError(unknown(str(error.full_key), config, choices("method"))) from error
    except OmegaConfBaseException as error:
        raise InputError(explain(error, keys_at_root(schema["method"]) if schema else [])) from error


def explain(error: OmegaConfBaseException, root_keys: list[str]) -> str:
    """OmegaConf's message as ``key: reason``, on one line; ``root_keys`` are the method's own that have no prefix."""
    key = _shown(error.full_key or "", root_keys)
    reason = str(error).split("\n", 1)[0]
    if "is not a ListConfig" in reason:
        reason = "needs a list, such as [1,2]"
    return f"{key}: {reason}" if key else reason


def resolved(settings: Settings, hardware: HardwareSettings, num_items: int) -> Settings:
    """What a run keeps: settings with what ``auto`` became of hardware and method, and with paths from the root."""
    own = vars(settings.method)
    runs: dict[str, Any] = {key: list(map(_kept_path, own[key])) for key in _with(type(settings.method), "runs")}
    method = replace(settings.method, **runs, **settings.method.resolved(num_items))
    paths = {name: _kept_path(path) for name, path in settings.dataset.paths.items()}
    dataset = settings.dataset.placed(paths)
    init_from = _kept_path(settings.init_from)
    return replace(settings, hardware=hardware, method=method, dataset=dataset, init_from=init_from)


def _kept_path(path: str | None) -> str | None:
    """One that means the same where a resumed run starts in another folder."""
    if path is None:
        return None
    require_text(absolute(path))
    return absolute(path)


def plain(settings: Settings) -> dict[str, Any]:
    """Settings as ``settings_from`` takes them: nested, the method's own of the root at the root."""
    values: Any = _plain(asdict(settings))
    for name in keys_at_root(type(settings.method)):
        values[name] = values["method"].pop(name)
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.name if isinstance(value, Enum) else value


def to_yaml(settings: Settings) -> str:
    """What ``config.yaml`` holds."""
    return OmegaConf.to_yaml(OmegaConf.create(plain(settings)))


def absolute(path: str) -> str:
    """The path from the root, without ``~``."""
    return os.path.abspath(os.path.expanduser(path))


def require_text(word: str) -> None:
    """Raise InputError for a name that this Python takes for bytes, and that no file of a run could hold."""
    require(word == word.encode(errors="replace").decode(), word, "is no text in this locale; set PYTHONUTF8=1")


def leaves(config: DictConfig) -> dict[str, Any]:
    """Every value by its dotted key."""
    values: Any = OmegaConf.to_container(config, resolve=True)
    return dict(words.leaves(values))


def defaults(choices: dict[str, str]) -> dict[str, Any]:
    """Every value by its dotted key, as these choices of groups give it by themselves. Raises InputError."""
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException

    register()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            return leaves(compose("config", [f"{group}={choice}" for group, choice in choices.items()]))
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(str(error).splitlines()[0]) from error


# What no setting may be ---------------------------------------------------------------------------------------------


def _require_usable(key: str, value: Any) -> None:
    """Raise InputError for a number that is not finite or beyond 64 bits, alone or in a list, and for nested lists."""
    if isinstance(value, list):
        for item in value:
            is_flat = not isinstance(item, dict) and (key in NESTED or not isinstance(item, list))
            require(is_flat, key, "needs a flat list, such as [1,2]")  # OmegaConf takes any
            _require_usable(key, item)
    elif isinstance(value, float):
        require(math.isfinite(value), key, f"must be a finite number, but is {value}")
    elif isinstance(value, int):
        require(abs(value) < 2**63, key, f"must be below 2^63 in size, but is {value!s:.30}")


def _require_as_given(typed: Any, values: dict, root_keys: list[str]) -> None:
    """Raise InputError where a text became an unusable number, or a number true or false."""
    before = dict(words.leaves(values))
    for key, value in words.leaves(OmegaConf.to_container(typed)):  # type: ignore[arg-type]
        _require_usable(_shown(key, root_keys), value)
        is_number = isinstance(before.get(key), int | float) and not isinstance(before[key], bool)
        if isinstance(value, bool):
            require(not is_number, _shown(key, root_keys), f"must be true or false, but is {before.get(key)}")


def _shown(key: str, root_keys: list[str]) -> str:
    """A key as it is given: without the prefix of the method where it stands at the root."""
    bare = key.removeprefix("method.")
    return bare if bare.partition(".")[0] in root_keys else key


# Keys at the root -----------------------------------------------------------------------------------------------------


def _move_root_keys(values: dict, method: type) -> None:
    for name in keys_at_root(method):
        require(name not in values["method"], f"method.{name}", f"unknown key; did you mean {name}?")
        if name in values:
            values["method"][name] = values.pop(name)
    for name in _with(method, "runs"):
        if isinstance(values["method"].get(name), str):
            values["method"][name] = [values["method"][name]]


def _with(method: type, word: str) -> list[str]:
    return [field.name for field in fields(method) if field.metadata.get(word)]
