"""Folders of made-up images for tests, and what is read of them."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from helpers import settings
from sdrun import tasks
from sdrun.data.labelled import Published


def pixels(seed: int, height: int = 8, width: int = 8, channels: int = 3) -> np.ndarray:
    """Noise [H, W, C] uint8, which no two seeds have in common; of one channel [H, W]."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return values[..., 0] if channels == 1 else values


def save(path: Path, values: np.ndarray | Image.Image, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values) if isinstance(values, np.ndarray) else values
    image.save(path, **options)
    return path


def images(folder: Path, *classes: str, num: int = 10, first: int = 0, **sides: int) -> Path:
    """``num`` images below a folder for each class, of which those of the second one and so on are brighter."""
    for place, name in enumerate(classes):
        for number in range(num):
            noise = pixels(first + 1000 * place + number, **sides)
            save(folder / name / f"{number:03}.png", noise // 2 + np.uint8(127 * (place % 2)))
    return folder


@cache
def asked() -> object:
    """The settings of ``dataset=image_folder``, composed once."""
    return settings("dataset=image_folder").dataset


def load(root: Path | str | None, store: Path, **values: object) -> Published:
    """What ``sdrun dataset=image_folder dataset.root=ROOT dataset.cache=STORE`` reads, always anew."""
    tasks._loaded.clear()
    chosen = {"cache": str(store), "workers": 1, **values}
    return tasks.load(replace(asked(), root=None if root is None else str(root), **chosen))


def shown(published: Published, part: str = "train") -> np.ndarray:
    """The images of a part as networks get them: uint8 [N, C, H, W]."""
    column = published.parts[part].fields["image"]
    return column.read(np.arange(len(column.rows)))
