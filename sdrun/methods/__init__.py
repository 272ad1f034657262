"""Every folder here is a method: ``settings.py`` without torch, ``recipe.py`` with one function ``run``.

A new method is new files and no edits: it is found by the name of its folder, or a plugin registers it.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from sdrun.plugins import registry
from sdrun.rooms import only_subclass, packages
from sdrun.settings import MethodSettings


def names() -> list[str]:
    """Names of all methods. Imports none of them."""
    return sorted({*packages(__path__), *registry.methods})


def settings_class(name: str) -> type[MethodSettings]:
    """The settings of a method. Imports no torch."""
    if name in registry.methods:
        return registry.methods[name].settings
    return only_subclass(f"{__name__}.{name}.settings", MethodSettings)


def recipe(name: str) -> Callable[[Any, Any], Any]:
    """The function ``run(settings, experiment)`` of a method."""
    if name in registry.methods:
        return registry.methods[name].function
    return import_module(f"{__name__}.{name}.recipe").run
