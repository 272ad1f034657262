"""Images of K classes, uint8, in memory where they fit, and their views, computed a batch at a time on the device."""

import math
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sdrun.answers.categorical import Categorical
from sdrun.data.labelled import Splits
from sdrun.data.source import Fields, Memory, Read, Source, With, at_once, in_memory
from sdrun.errors import require
from sdrun.hardware import Hardware
from sdrun.judges.classification import Classification
from sdrun.randomness import generator
from sdrun.settings import CLEAN
from sdrun.task import Task
from sdrun.tasks.images.drift import drifted
from sdrun.tasks.images.folders.pixels import Pixels
from sdrun.tasks.images.settings import ImagesSettings
from sdrun.tasks.images.views.view import Normalise, View

MOST_IN_MEMORY = 2**28
"""Bytes of images that are brought to the device as a whole."""


class OfImages:
    """A view of images, as a view of items whose field ``image`` they are."""

    def __init__(self, view: View | Normalise) -> None:
        self.view, self.num_draws = view, view.num_draws

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        return self.view(fields["image"], u)


def build(settings: ImagesSettings, splits: Splits, hardware: Hardware, keep: object) -> Task:
    """Where ``dataset.test_view`` names a view, such as ``strong``, ``test_strong`` is the test set seen through it."""
    assert settings.mean
    assert settings.std
    device = hardware.device
    clean = Normalise(settings.mean, settings.std, device, hardware.channels_last)
    views = {role: View(view, clean) for role, view in settings.views.items()}
    parts, reads, copy = *_parts(splits, device), None
    drift = None
    if splits.periods and splits.periods.amounts:
        assert settings.stream
        in_memory = (
            f"{settings.stream.kind} changes images in memory, and these are too large; lower dataset.train_size"
        )
        require(not reads, "dataset.stream", in_memory)
        drift = partial(_drifted, settings.stream.kind)
        amounts = splits.periods.amounts
        parts |= {
            name: drift(parts[name], amounts[name], name) for name in ("train", "val", "test") if len(parts[name])
        }
    if settings.test_view is not None:
        copy = f"test_{settings.test_view}"
        seen = _seen(parts["test"], splits.item.shape, views[settings.test_view], clean, copy)
        parts[copy] = With(parts["test"], {"image": seen})
    return Task(
        splits=splits,
        parts=parts,
        inputs=("image",),
        views={CLEAN: OfImages(clean), **{role: OfImages(view) for role, view in views.items()}},
        answers=Categorical(len(splits.classes)),
        judge=Classification,
        copy=copy,
        picture=clean.undo,
        told=clean.undo,
        heard=partial(_heard, clean, splits.item.shape[-1]),
        drift=drift,
        reads=reads,
    )


def _drifted(kind: str, source: Source, amounts: np.ndarray, name: str) -> Source:
    items = source.fetch(torch.arange(len(source)))
    return Memory({**items, "image": drifted(items["image"], torch.from_numpy(amounts).float(), kind, name)})


def _heard(clean: Normalise, size: int, pictures: Tensor) -> Tensor:
    """Pictures [B, C, H, W] in 0 to 1, in the size and with the mean and spread of a run's own."""
    if pictures.shape[-1] != size:
        sides = [size, size]
        pictures = F.interpolate(pictures, size=sides, mode="bilinear", antialias=True, align_corners=False)
    return clean.finish(pictures)


def _parts(splits: Splits, device: torch.device) -> tuple[dict[str, Source], bool]:
    """The parts of a run, and whether their images are read from files each time, as those that are large are."""
    labels = in_memory(splits, device)
    columns = {name: part.fields["image"] for name, part in splits.parts.items()}
    in_files = {name: column for name, column in columns.items() if isinstance(column, Pixels)}
    if sum(math.prod(column.shape) for column in in_files.values()) > MOST_IN_MEMORY:
        return {**labels, **{name: With(Read("image", c), labels[name].fields) for name, c in in_files.items()}}, True
    images = {name: torch.from_numpy(column.read(np.arange(len(column.rows)))) for name, column in in_files.items()}
    return {**labels, **{name: With(labels[name], {"image": x.to(device)}) for name, x in images.items()}}, False


def _seen(source: Source, shape: tuple[int, ...], view: View, clean: Normalise, name: str) -> Tensor:
    """Images of this shape through a view, uint8; the draws depend on the name alone."""
    random, device = generator("view of the test set", name), clean.mean.device
    seen = []
    for index in torch.arange(len(source)).split(at_once(shape)):
        u = torch.rand(len(index), view.num_draws, generator=random).to(device)
        images = clean.undo(view(source.fetch(index)["image"].to(device), u))
        seen.append(images.mul_(255).round_().byte())
    return torch.cat(seen)
