"""A sample of all that was learned so far, of one size: each item is in it with the same probability (a reservoir)."""

import torch

from sdrun.data.source import Fields, Source, joined
from sdrun.randomness import generator

KEY = "key"
"""A random number of each item; those with the smallest are kept."""


def sample(before: Fields, items: Source, size: int, *words: object) -> Fields:
    """The fields of ``size`` items out of those that were kept ``before`` and of new ones, whose keys follow the words.

    Nothing is before the first.
    """
    keys = torch.rand(len(items), generator=generator(*words), dtype=torch.float64)
    chosen = keys.argsort()[:size]
    fields = {name: values.cpu() for name, values in items.fetch(chosen).items()} | {KEY: keys[chosen]}
    if before:
        fields = {name: joined([before[name].cpu(), values]) for name, values in fields.items()}
    smallest = fields[KEY].argsort()[:size]
    return {name: values[smallest] for name, values in fields.items()}
