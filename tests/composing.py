"""Hydra composes each set of choices once: a quarter of a second that thousands of tests need not wait for."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hydra._internal import config_loader_impl as loading
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.defaults_list import DefaultsList, Overrides
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from sdrun.choices import conf_folder


@contextmanager
def composed_once() -> Iterator[None]:
    """While it lasts, choices that are all sdrun's own or Hydra's are composed once, and values set on a copy."""
    listed: dict[tuple, DefaultsList] = {}
    composed: dict[int, DictConfig] = {}
    make_list, compose = loading.create_defaults_list, ConfigLoaderImpl._compose_config_from_defaults_list

    def list_once(repo: Any, config_name: str, overrides_list: list, prepend_hydra: bool, skip_missing: bool) -> Any:
        options = {"prepend_hydra": prepend_hydra, "skip_missing": skip_missing}
        if not _is_ours(repo):
            return make_list(repo, config_name, overrides_list, **options)
        values = Overrides(repo, overrides_list).config_overrides
        of_values = set(map(id, values))
        choices = [override for override in overrides_list if id(override) not in of_values]
        lines = tuple(override.input_line for override in choices)
        key = (config_name, lines, prepend_hydra, skip_missing, *_stored(ConfigStore.instance().repo))
        if key not in listed:
            listed[key] = make_list(repo, config_name, choices, **options)
        return replace(listed[key], config_overrides=values)

    def compose_once(self: ConfigLoaderImpl, defaults: list, repo: Any) -> DictConfig:
        if not _is_ours(repo):
            return compose(self, defaults, repo)
        if id(defaults) not in composed:  # which ``listed`` keeps
            composed[id(defaults)] = compose(self, defaults, repo)
        return copy.deepcopy(composed[id(defaults)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "create_defaults_list", list_once)
        patch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", compose_once)
        yield


def _is_ours(repo: Any) -> bool:
    """Whether no choice comes from a plugin's folder, or from one that a test wrote."""
    ours = {f"file://{conf_folder()}", str(conf_folder()), "hydra.conf", ""}
    return {source.path for source in repo.get_sources()} <= ours


def _stored(choices: dict[str, Any]) -> Iterator[str]:
    """What stands in the store of Hydra, which has the choices of plugins as well."""
    for name, entry in choices.items():
        yield name
        yield from _stored(entry) if isinstance(entry, dict) else [str(entry.node)]
