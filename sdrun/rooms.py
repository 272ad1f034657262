"""Rooms whose folders are found by their names: methods, model families, tasks. Imports none of what they hold."""

from collections.abc import Iterable
from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules
from typing import Any


def packages(place: Iterable[str]) -> list[str]:
    """Names of the packages in the folders of ``place``, sorted."""
    return sorted(module.name for module in iter_modules(place) if module.ispkg)


def modules(place: Iterable[str]) -> list[str]:
    """Names of all modules in these folders, sorted."""
    return sorted(module.name for module in iter_modules(place))


def only_subclass(module: str, base: type) -> Any:
    """The one class derived from ``base`` that a module defines."""
    (derived,) = subclasses(module, base)
    return derived


def subclasses(module: str, base: type) -> list[Any]:
    """The classes derived from ``base`` that a module defines."""
    members = vars(import_module(module)).values()
    return [m for m in members if isclass(m) and issubclass(m, base) and m.__module__ == module]
