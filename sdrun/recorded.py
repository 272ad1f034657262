"""A run that is there: its settings, what may be another now, and whether its data are still the same."""

import os
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError, safe_load

from sdrun import configuration
from sdrun.errors import InputError, require
from sdrun.plugins import registry
from sdrun.settings import Settings, words
from sdrun.storage.earlier import with_later
from sdrun.storage.folder import RunFolder
from sdrun.storage.initial import initial
from sdrun.storage.manifest import digest_of


def load_config(folder: RunFolder) -> DictConfig:
    """The settings of a run. Raises InputError where they cannot be read, are more than values, or need a plugin."""
    registry.require_loaded(folder.manifest.get("plugins", {}), str(folder.path))
    values = folder.document(folder.config.name)
    if key := words.interpolated(values):
        raise InputError(f"{folder.config}: {key} holds ${{...}}, and settings of a run are resolved; write its value")
    return OmegaConf.create(with_later(values))


def change(config: DictConfig, overrides: Sequence[str], free: tuple[str, ...], where: str) -> None:
    """Set ``key=value`` in a run's settings. Raises InputError for a key that is not ``free``, or a malformed word.

    ``free``: keys beside those that say where the dataset's files are, and how they are read; one that ends in a dot
    stands for its group.
    """
    dataset = configuration.settings_from(config).dataset
    places = [f"dataset.{name}" for name in dataset.paths]
    free = (*free, *places, *(f"dataset.{name}" for name in dataset.free))
    for override in overrides:
        key, equals, text = override.partition("=")
        is_free = any(key.startswith(name) if name.endswith(".") else key == name for name in free)
        allowed = ", ".join(f"{name}*" if name.endswith(".") else name for name in free)
        require(bool(equals) and is_free, key, f"cannot be changed {where}; only {allowed} can")
        try:
            value = safe_load(text)
            is_path = key in places and value is not None
            OmegaConf.update(config, key, configuration.absolute(value) if is_path else value)
        except (OmegaConfBaseException, YAMLError, TypeError) as error:
            raise InputError(f"{key}: {str(error).splitlines()[0]}") from error


def require_same(folder: RunFolder, settings: Settings, fingerprints: dict[str, str]) -> None:
    """Raise InputError where a run would go on with other data, or from other weights, than it began with."""
    began_with = folder.manifest["data"]
    if began_with and origin(settings) != folder.manifest.get("init"):
        changed = settings.init_from or settings.model.origin
        raise InputError(f"{folder.path} cannot go on: {changed} changed since it began; start a new run")
    plugins = folder.manifest.get("plugins", {})
    others = [name for name, sha256 in plugins.items() if registry.loaded[name].sha256 != sha256]
    if others:
        raise InputError(f"{folder.path} cannot go on: the plugin {others[0]} changed since it began; start a new run")
    if began_with and began_with != fingerprints:
        changed = ", ".join(name for name in fingerprints if began_with.get(name) != fingerprints[name])
        raise InputError(f"{folder.path} cannot go on: its data changed since it began ({changed}); start a new run")


def plugins_of(settings: Settings) -> dict[str, str]:
    """The hashes of the plugins that a run uses, by name."""
    dataset = settings.dataset
    architectures = [model.architecture for model in (settings.model, *settings.method.models.values())]
    return registry.needed(settings.method.name, architectures, dataset.task, dataset.name)


def origin(settings: Settings) -> dict[str, str | None] | None:
    """Where students start from, for the manifest; None where that is chance."""
    if start := initial(settings):
        return {**start.describe()}
    weights = settings.model.origin
    if weights is None:
        return None
    return {"weights": weights, "sha256": digest_of(Path(weights)) if os.path.isabs(weights) else None}
