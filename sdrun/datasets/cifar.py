"""The CIFAR archives: pickles of arrays, read without running anything that a pickle may ask for."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from sdrun.datasets.images import Images
from sdrun.errors import InputError

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_batches(paths: list[Path], label_key: str, num_classes: int) -> Images:
    """Images of 3x32x32 from CIFAR's Python batches. Raises InputError that names a broken file."""
    images, labels = [], []
    for path in paths:
        try:
            with path.open("rb") as file:
                content = _Arrays(file, encoding="latin1").load()
            images.append(content["data"].reshape(-1, 3, 32, 32))
            labels.append(np.asarray(content[label_key], dtype=np.int64))
        except Exception as error:  # a broken pickle raises nearly anything
            raise InputError(f"{path} is no CIFAR batch ({error}); fetch it again") from error
        if len(images[-1]) != len(labels[-1]):
            raise InputError(f"{path} holds {len(images[-1])} images and {len(labels[-1])} labels; fetch it again")
        if not all(0 <= label < num_classes for label in labels[-1]):
            raise InputError(f"{path} holds labels outside of 0 to {num_classes - 1}; fetch it again")
    return Images(np.concatenate(images), np.concatenate(labels))
