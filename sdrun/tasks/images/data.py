"""Datasets of images by name."""

from importlib import import_module
from pkgutil import iter_modules

from sdrun.data.labelled import Published
from sdrun.errors import require
from sdrun.tasks.images import sources
from sdrun.tasks.images.settings import ImagesSettings


def load(settings: ImagesSettings) -> Published:
    """Raises InputError where the dataset is not known, or its files are missing or broken."""
    names = sorted(module.name for module in iter_modules(sources.__path__))
    is_known = settings.name in names
    require(is_known, "dataset.name", f"is {settings.name!r}, but only {', '.join(names)} are known")
    published: Published = import_module(f"{sources.__name__}.{settings.name}").load(settings)
    return published
