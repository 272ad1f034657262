"""Images of K classes, in memory as uint8, and their views, computed a batch at a time on the device."""

import torch
from torch import Tensor

from sdrun.answers.categorical import Categorical
from sdrun.data.labelled import Splits
from sdrun.data.source import Fields, Memory, in_memory
from sdrun.hardware import Hardware
from sdrun.judges.classification import Classification
from sdrun.randomness import generator
from sdrun.settings import CLEAN
from sdrun.task import Task
from sdrun.tasks.images.settings import ImagesSettings
from sdrun.tasks.images.views.view import Normalise, View

BATCH = 1000


class OfImages:
    """A view of images, as a view of items whose field ``image`` they are."""

    def __init__(self, view: View | Normalise) -> None:
        self.view, self.num_draws = view, view.num_draws

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        return self.view(fields["image"], u)


def build(settings: ImagesSettings, splits: Splits, hardware: Hardware, keep: object) -> Task:
    """Where ``dataset.test_view`` names a view, such as ``strong``, ``test_strong`` is the test set seen through it."""
    device = hardware.device
    assert settings.mean
    assert settings.std
    clean = Normalise(settings.mean, settings.std, device, hardware.channels_last)
    views = {role: View(view, clean) for role, view in settings.views.items()}
    parts, copy = in_memory(splits, device), None
    if settings.test_view is not None:
        copy, test = f"test_{settings.test_view}", parts["test"].fields
        parts[copy] = Memory({**test, "image": _seen(test["image"], views[settings.test_view], clean, copy)})
    return Task(
        splits=splits,
        parts=parts,
        inputs=("image",),
        views={CLEAN: OfImages(clean), **{role: OfImages(view) for role, view in views.items()}},
        answers=Categorical(len(splits.classes)),
        judge=Classification,
        copy=copy,
        picture=clean.undo,
    )


def _seen(images: Tensor, view: View, clean: Normalise, name: str) -> Tensor:
    """Images through a view, uint8; the draws depend on the name alone."""
    random = generator("view of the test set", name)
    batches = images.split(BATCH)
    draws = [torch.rand(len(batch), view.num_draws, generator=random).to(batch.device) for batch in batches]
    seen = [clean.undo(view(batch, u)) for batch, u in zip(batches, draws, strict=True)]
    return torch.cat(seen).mul_(255).round_().byte()
