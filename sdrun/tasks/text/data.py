"""Datasets of texts by name."""

from sdrun.data.labelled import Published
from sdrun.rooms import load_named
from sdrun.tasks.text import sources
from sdrun.tasks.text.settings import TextSettings


def load(settings: TextSettings) -> Published:
    """Raises InputError where the dataset is not known, or its files are missing or broken."""
    published: Published = load_named(sources, "dataset.name", settings.name).load(settings)
    return published
