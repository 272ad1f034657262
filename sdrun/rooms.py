"""Rooms whose folders are found by their names: methods, model families, tasks. Imports none of what they hold."""

from collections.abc import Iterable
from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from sdrun.errors import require


def packages(place: Iterable[str]) -> list[str]:
    """Names of the packages in the folders of ``place``, sorted."""
    return sorted(module.name for module in iter_modules(place) if module.ispkg)


def modules(place: Iterable[str]) -> list[str]:
    """Names of all modules in these folders, sorted."""
    return sorted(module.name for module in iter_modules(place))


def load_named(room: ModuleType, key: str, name: str) -> Any:
    """The module of a package by its name. Raises InputError, which names ``key``, where there is none."""
    names = modules(room.__path__)
    require(name in names, key, f"is {name!r}, but only {', '.join(names)} are known")
    return import_module(f"{room.__name__}.{name}")


def only_subclass(module: str, base: type) -> Any:
    """The one class derived from ``base`` that a module defines."""
    (derived,) = subclasses(module, base)
    return derived


def subclasses(module: str, base: type) -> list[Any]:
    """The classes derived from ``base`` that a module defines."""
    members = vars(import_module(module)).values()
    return [m for m in members if isclass(m) and issubclass(m, base) and m.__module__ == module]
