"""Images of one's own in arrays: ``.npz``, ``.safetensors``, or a folder of ``.npy``."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from sdrun.data.examples import by_part, in_arrays
from sdrun.data.labelled import Published
from sdrun.data.own import published
from sdrun.settings import OwnSettings
from sdrun.tasks.images.pixels import moments, pixels
from sdrun.tasks.images.settings import ImagesSettings


@dataclass
class ArraysSettings(OwnSettings, ImagesSettings):
    """Images in files of one's own."""


def load(settings: ArraysSettings) -> Published:
    """Raises InputError that names the array, and the row of it, that cannot be used."""
    parts = by_part(settings, partial(in_arrays, settings))
    images = {part: pixels(examples) for part, examples in parts.items()}
    dataset = published(settings, parts, images, "image", "images")
    measured = moments(np.asarray(dataset.train.fields["image"]))
    return replace(dataset, measured=measured)
