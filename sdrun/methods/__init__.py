"""Every folder here is a method: ``settings.py`` without torch, ``recipe.py`` with one function ``run``.

A new method is new files and no edits: it is found by the name of its folder.
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def names() -> list[str]:
    """Names of all methods. Imports none of them."""
    return sorted(module.name for module in iter_modules(__path__) if module.ispkg)


def settings_class(name: str) -> type:
    """The dataclass ``Settings`` of a method. Imports no torch."""
    return import_module(f"{__name__}.{name}.settings").Settings


def recipe(name: str) -> Callable[[Any, Any], Any]:
    """The function ``run(settings, experiment)`` of a method."""
    return import_module(f"{__name__}.{name}.recipe").run
