"""Settings come from anyone, so what Hydra composes may name no code but installed plugins. Imports no torch."""

import re
from collections.abc import Iterator
from typing import Any

import hydra._internal.hydra
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf

from sdrun.errors import InputError, require
from sdrun.settings.words import GROUPS

TYPED = ("run", "sweep", "job", "overrides", "help", "hydra_help", "searchpath", "output_subdir")
"""Keys of Hydra's that hold texts and numbers only, whatever an interpolation in them gives."""

HARMLESS = re.compile(r"\$\{(hydra(\.\w+)+|(oc\.env|now|version):[^${}]*)\}")
"""Interpolations that give a text, or a part of Hydra's node, which is checked itself."""

PACKAGE = re.compile(r"(?!file://|/).*(://|\$\{)")
"""A place of settings that may be another than a folder."""

LOGGING = {
    "class": ("logging.StreamHandler", "logging.NullHandler"),
    "stream": ("ext://sys.stdout", "ext://sys.stderr"),
}
"""What the logging of Python may make, and where to."""

LOGGED = ("version", "format", "datefmt", "level", "handlers", "formatter", "disable_existing_loggers", "propagate")
"""What else may stand in its settings: texts and numbers."""


class Loader(ConfigLoaderImpl):
    """Hydra's loader of every composition, be it for a run, an arm, help or completion; refuses what names code."""

    def load_configuration(
        self, config_name: str | None, overrides: list[str], run_mode: RunMode, *arguments: Any, **options: Any
    ) -> DictConfig:
        """Of a sweep, what its jobs have in common. Raises InputError as ``require_no_code`` does."""
        try:
            config = self._composed(config_name, overrides, run_mode, *arguments, **options)
        except KeyError as error:  # of a variable that is not there
            raise InputError(f"hydra.job.env_copy: {error} is not set; leave it out") from error
        require_no_code(config)
        return config

    def _composed(
        self, config_name: str | None, overrides: list[str], run_mode: RunMode, *more: Any, **options: Any
    ) -> DictConfig:
        """The composition. One for a sweep may set what only some jobs have, and the choices that are common lack."""
        try:
            return super().load_configuration(config_name, overrides, run_mode, *more, **options)
        except ConfigCompositionException:
            if run_mode is not RunMode.MULTIRUN:
                raise
        typed = {lenient(word): str(word.input_line) for word in OverridesParser.create().parse_overrides(overrides)}
        config = super().load_configuration(config_name, list(typed), run_mode, *more, **options)
        config.hydra.overrides.task = [typed[word] for word in config.hydra.overrides.task]
        return config

    def _process_config_searchpath(self, config_name: str | None, parsed_overrides: Any, repo: Any) -> None:
        paths = [override.value() for override in parsed_overrides if override.key_or_group == "hydra.searchpath"]
        primary = repo.load_config(config_path=config_name) if config_name else None
        if primary and isinstance(primary.config, DictConfig):
            own = OmegaConf.select(primary.config, "hydra.searchpath")
            paths += [OmegaConf.to_container(own, resolve=False)] if isinstance(own, ListConfig) else []
        for _, path in _leaves(paths):
            is_code = PACKAGE.match(str(path))
            require(not is_code, "hydra.searchpath", f"{path} may be a package, which is imported; name a folder")
        super()._process_config_searchpath(config_name, parsed_overrides, repo)


def lenient(setting: Override) -> str:
    """The override as ``++key=value``, where it sets a value of ours; a choice of a group or of Hydra's stays."""
    line = setting.input_line or ""
    key = setting.key_or_group
    is_choice = key in GROUPS or "/" in key or setting.package is not None
    if setting.type is not OverrideType.CHANGE or is_choice or key.split(".")[0] == "hydra":
        return line
    return f"++{line}"


def install() -> None:
    """Have Hydra compose by ``Loader``, wherever it does: its own sweepers and launchers ask the loader again.

    Without asking for ``hydra.mode`` first, which composes once more: whether it is a sweep, the command line has said.
    """
    hydra._internal.hydra.ConfigLoaderImpl = Loader  # type: ignore[attr-defined]
    hydra._internal.hydra.Hydra.get_mode = lambda *_, **__: None  # type: ignore[method-assign]


def require_no_code(config: DictConfig) -> None:
    """Raise InputError where Hydra would import, open or start what this composition names."""
    values = OmegaConf.to_container(config, resolve=False)
    assert isinstance(values, dict)
    plugins = _plugins()
    for key, value in _leaves(values):
        part = key.removeprefix("hydra.").partition(".")[0]
        if key.rpartition(".")[2] == "_target_":
            is_plugin = key.startswith("hydra.") and value in plugins
            require(is_plugin, key, f"{value} is no installed launcher or sweeper; no code runs from settings")
        elif key.startswith(("hydra.hydra_logging", "hydra.job_logging")):
            _require_plain_logging(key, value)
        elif key.startswith("hydra.") and part not in TYPED and isinstance(value, str):
            is_text = not (value.startswith("${") and value.endswith("}")) or HARMLESS.fullmatch(value)
            require(bool(is_text), key, f"{value} may become anything; write its value")
    job = values["hydra"]["job"]
    require(not job["env_set"], "hydra.job.env_set", "set variables in the shell that starts sdrun")
    require(values["hydra"]["output_subdir"] is None, "hydra.output_subdir", "must be null; sdrun writes .hydra itself")


def _plugins() -> set[str]:
    """The classes that Hydra and the plugins that are installed offer as choices of ``hydra/...``."""
    return set(_targets(ConfigStore.instance().repo["hydra"]))


def _targets(choices: dict[str, Any]) -> Iterator[str]:
    for choice in choices.values():
        if isinstance(choice, ConfigNode):
            leaves = _leaves(OmegaConf.to_container(choice.node, resolve=False))
            yield from (str(value) for key, value in leaves if key.rpartition(".")[2] == "_target_")
        else:
            yield from _targets(choice)


def _require_plain_logging(key: str, value: Any) -> None:
    parts = key.split(".")
    name = next(part for part in reversed(parts) if not part.isdigit())
    if name in LOGGING:
        is_plain = value in LOGGING[name]
    else:
        is_text = not (isinstance(value, str) and re.search(r"://|\$\{", value))
        is_plain = value is None or (name in LOGGED and "()" not in parts and is_text)
    choices = "sdrun writes run.log itself; choose none, disabled or stdout"
    require(is_plain, key, f"{value} is more than text on the terminal; {choices}")


def _leaves(values: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value, those in lists too, by its dotted key."""
    if isinstance(values, dict | list):
        for name, value in values.items() if isinstance(values, dict) else enumerate(values):
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    else:
        yield key, values
