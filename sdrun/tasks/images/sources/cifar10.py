"""CIFAR-10 (Krizhevsky 2009)."""

from sdrun.data.labelled import Published
from sdrun.tasks.images.cifar import read_dataset
from sdrun.tasks.images.files import Files, read
from sdrun.tasks.images.settings import ImagesSettings

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]

FILES = Files(
    names=[*(f"data_batch_{part}" for part in range(1, 6)), "test_batch"],
    subfolders=["", "cifar-10-batches-py"],
    system=None,
    torchvision="CIFAR10",
    advice=[],
    read=lambda paths: read_dataset(paths, "labels", CLASSES),
)


def load(settings: ImagesSettings) -> Published:
    return read(FILES, settings)
