"""Every knob of every method, turned: a stage that a sweep would share must come out with the same bits."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

import torch

from faults.figures import FAILED, Figures
from helpers import SMALL, manifest, settings, weights
from sdrun import run
from sdrun.errors import InputError, RunError
from sdrun.settings import Settings


def others(value: Any) -> Iterator[Any]:
    """Other values of a knob, of which some may be refused."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, Enum):
        yield from (other for other in type(value) if other is not value)
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, float):
        yield from (0.5 * value, 0.9 * value + 0.01, 0.0)
    elif isinstance(value, str):
        yield from ("strong", "clean", "none")
    elif isinstance(value, list):
        yield from (value[:-1], [2 * part for part in value])
    else:
        yield from (0.5, 2)


def turned(base: Settings) -> Iterator[tuple[str, Settings]]:
    """The settings with one knob of the method turned, and which; those that hold together."""
    for knob in fields(base.method):
        for value in others(getattr(base.method, knob.name)):
            with suppress(InputError, TypeError, ValueError):
                yield f"{knob.name}={value}", replace(base, method=replace(base.method, **{knob.name: value}))


def campaign(folder: Path, methods: list[str]) -> Figures:
    """A run of each method, and one for each turn of a knob, which shares what it can with the first."""
    figures = Figures("Stages after the turn of a knob")
    for method in methods:
        base = settings(*SMALL, f"method={method}", "optim.max_steps=3", "dataset.num_labels=60")
        run.start(base, folder / method / "base", [], store=folder / method / "store")
        for number, (name, other) in enumerate(turned(base)):
            shared, alone = (folder / method / f"{number}_{word}" for word in ("shared", "alone"))
            try:
                run.start(other, alone, [])
            except (InputError, RunError):
                continue
            run.start(other, shared, [], store=folder / method / "store")
            stages = manifest(shared).get("shared", {})
            one, two = weights(shared), weights(alone)
            wrong = [key for key in two if key not in one or not torch.equal(one[key], two[key])]
            figures.add(method, FAILED if wrong else "shared" if stages else "trained", f"{name}: {wrong}")
    return figures
