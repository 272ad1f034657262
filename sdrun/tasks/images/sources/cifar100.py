"""CIFAR-100 (Krizhevsky 2009), by its fine labels."""

from sdrun.data.labelled import Published
from sdrun.tasks.images.cifar import read_dataset
from sdrun.tasks.images.files import Files, read
from sdrun.tasks.images.settings import ImagesSettings

CLASSES = [str(label) for label in range(100)]

FILES = Files(
    names=["train", "test"],
    subfolders=["", "cifar-100-python"],
    system=None,
    torchvision="CIFAR100",
    advice=[],
    read=lambda paths: read_dataset(paths, "fine_labels", CLASSES),
)


def load(settings: ImagesSettings) -> Published:
    return read(FILES, settings)
