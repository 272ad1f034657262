"""Every folder here is a model family: ``settings.py`` without torch, ``backbone.py`` with one function ``build``.

A new family is new files and no edits: it is found by the name of its folder, which is ``model.architecture``, or a
plugin registers a function that makes it.
"""

import inspect
from importlib import import_module
from typing import TYPE_CHECKING

from sdrun.choices import choices, values_of
from sdrun.errors import require
from sdrun.plugins import registry
from sdrun.rooms import only_subclass, packages
from sdrun.settings import Item, ModelSettings

if TYPE_CHECKING:
    import torch

    from sdrun.models.backbone import Backbone


def names() -> list[str]:
    """Names of all families. Imports none of them."""
    return sorted({*packages(__path__), *registry.models})


def settings_class(architecture: str) -> type[ModelSettings]:
    """The settings of a family. Imports no torch."""
    if architecture in registry.models:
        return registry.models[architecture].settings
    return only_subclass(f"{__name__}.{architecture}.settings", ModelSettings)


def chosen(name: str, key: str) -> ModelSettings:
    """A choice of ``model`` with its defaults. Raises InputError, which names ``key``, where there is none."""
    names = choices("model")
    require(name in names, key, f"is {name!r}, but the choices of model are {', '.join(names)}")
    if name in registry.models:
        _, *own = inspect.signature(registry.models[name].function).parameters.values()
        return settings_class(name)(name=name, architecture=name, **{one.name: one.default for one in own})
    values = values_of("model", name, key)
    return settings_class(values["architecture"])(**values)


def without_weights(settings: ModelSettings) -> "torch.device":
    """Where a backbone is built whose shapes alone are asked: nowhere, but that of a plugin, which may compute."""
    import torch

    return torch.device("cpu" if settings.architecture in registry.models else "meta")


def shape(settings: ModelSettings, item: Item) -> "Backbone":
    """A backbone of which the shapes alone are asked."""
    import torch

    with without_weights(settings), torch.random.fork_rng(devices=[]):
        return build(settings, item).eval()


def build(settings: ModelSettings, item: Item) -> "Backbone":
    """A backbone that takes such items in its own form, initialised from torch's global generator."""
    if settings.architecture in registry.models:
        from sdrun.models.whole import made

        return made(registry.models[settings.architecture], settings, settings.taken(item))
    family = import_module(f"{__name__}.{settings.architecture}.backbone")
    built: Backbone = family.build(settings, settings.taken(item))
    return built
