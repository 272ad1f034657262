"""Images as a person sees them."""

from io import BytesIO

import numpy as np
from PIL import Image

from sdrun.data.labelled import Labelled
from sdrun.tasks.images.folders.pixels import Pixels


def shown(items: Labelled) -> list[bytes | str]:
    """A PNG of each image."""
    images = items.fields["image"]
    pixels = images.read(np.arange(len(items))) if isinstance(images, Pixels) else np.asarray(images)
    return [_png(image) for image in pixels]


def _png(image: np.ndarray) -> bytes:
    """Of an image [C, H, W], uint8."""
    file = BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(file, "PNG")
    return file.getvalue()
