"""The settings of many runs that differ in little: Hydra takes a quarter of a second to compose those of one."""

import copy
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from sdrun.configuration import leaves

Choices = tuple[str, ...]
"""Overrides that choose members of groups, or are Hydra's own."""


class Compositions:
    """Composes each set of choices once, and sets on a copy of it what overrides set besides."""

    def __init__(self, config: DictConfig, loader: ConfigLoader) -> None:
        self.master, self.loader = config, loader
        self._groups = loader.list_groups("")
        self._composed: dict[Choices, tuple[DictConfig, dict[str, str]]] = {}
        self._settings: dict[tuple[str, ...], dict[str, Any]] = {}
        self._defaults: dict[Choices, dict[str, Any]] = {}

    def config(self, overrides: list[str]) -> DictConfig:
        """The settings, without Hydra's own. Raises what Hydra raises of overrides that it cannot follow."""
        choices, values = self._divided(overrides)
        config = copy.deepcopy(self._of(choices)[0])
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        return config

    def method(self, overrides: list[str]) -> str:
        """The name of the method that these overrides choose."""
        return self._of(self._divided(overrides)[0])[0].method.name

    def settings(self, overrides: list[str]) -> dict[str, Any]:
        """The same, every value by its dotted key; made once, for a sweep looks at each job's more than once."""
        key = tuple(overrides)
        if key not in self._settings:
            self._settings[key] = leaves(self.config(overrides))
        return self._settings[key]

    def defaults(self, overrides: list[str]) -> dict[str, Any]:
        """What the members of groups that these overrides come to give by themselves."""
        chosen = self._of(self._divided(overrides)[0])[1]
        choices = tuple(f"{group}={member}" for group, member in chosen.items())
        if choices not in self._defaults:
            config = self.loader.load_sweep_config(self._bare(), list(choices))
            self._defaults[choices] = leaves(without_hydra(config))
        return self._defaults[choices]

    def _bare(self) -> DictConfig:
        """The command line without what it says to Hydra, such as of a claim, which no default has."""
        bare = copy.deepcopy(self.master)
        OmegaConf.set_readonly(bare.hydra, False)
        bare.hydra.overrides.hydra = []
        return bare

    def _of(self, choices: Choices) -> tuple[DictConfig, dict[str, str]]:
        """The settings that they give, and the members of sdrun's groups."""
        if choices not in self._composed:
            config = self.loader.load_sweep_config(self.master, list(choices))
            members = config.hydra.runtime.choices
            chosen = {group: members[group] for group in self._groups if members.get(group) and group != "experiment"}
            self._composed[choices] = without_hydra(config), chosen
        return self._composed[choices]

    def _divided(self, overrides: list[str]) -> tuple[Choices, list[Override]]:
        """Choices, and what sets a value."""
        parsed = OverridesParser.create().parse_overrides(overrides)
        choices = [word for word in parsed if word.is_hydra_override() or self._is_group(word.key_or_group)]
        return tuple(str(word.input_line) for word in choices), [word for word in parsed if word not in choices]

    def _is_group(self, key: str) -> bool:
        return "/" in key or key in self._groups


def without_hydra(config: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(config, [key for key in map(str, config) if key != "hydra"])
