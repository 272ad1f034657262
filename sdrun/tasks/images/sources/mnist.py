"""MNIST (LeCun et al. 1998)."""

from sdrun.data.labelled import Published
from sdrun.tasks.images.files import Files, read
from sdrun.tasks.images.idx import IDX_FILES, read_dataset
from sdrun.tasks.images.settings import ImagesSettings

CLASSES = [str(digit) for digit in range(10)]

FILES = Files(
    names=IDX_FILES,
    subfolders=["", "MNIST/raw"],
    system=None,
    torchvision="MNIST",
    advice=[],
    read=lambda paths: read_dataset(paths, CLASSES),
)


def load(settings: ImagesSettings) -> Published:
    return read(FILES, settings)
