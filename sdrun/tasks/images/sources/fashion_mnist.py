"""Fashion-MNIST (1708.07747)."""

from pathlib import Path

from sdrun.data.labelled import Published
from sdrun.tasks.images.files import Files, read
from sdrun.tasks.images.idx import IDX_FILES, read_dataset
from sdrun.tasks.images.settings import ImagesSettings

CLASSES = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]

FILES = Files(
    names=IDX_FILES,
    subfolders=["", "FashionMNIST/raw"],
    system=Path("/usr/share/datasets/fashion-mnist"),
    torchvision="FashionMNIST",
    advice=["apt-get install dataset-fashion-mnist (Debian, Ubuntu)"],
    read=lambda paths: read_dataset(paths, CLASSES),
)


def load(settings: ImagesSettings) -> Published:
    return read(FILES, settings)
