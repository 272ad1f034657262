"""Files of one's own for tests, and what is read of them."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from helpers import settings
from sdrun import tasks
from sdrun.data.labelled import Published

NUM, WIDTH = 60, 4


def vectors(num: int = NUM, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors [N, 4] around a centre of their class, and classes [N] int64."""
    random = np.random.default_rng(seed)
    labels = np.arange(num) % classes
    centres = np.random.default_rng(7).normal(0, 3, (classes, WIDTH))
    return (centres[labels] + random.normal(0, 1, (num, WIDTH))).astype(np.float32), labels


def npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def safetensors(path: Path, **arrays: np.ndarray) -> Path:
    save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, path)
    return path


def folder(path: Path, **arrays: np.ndarray) -> Path:
    path.mkdir()
    for name, values in arrays.items():
        np.save(path / f"{name}.npy", values)
    return path


def table(path: Path, x: np.ndarray, y: np.ndarray, header: str = "a,b,c,d,label") -> Path:
    rows = [",".join([*map(repr, map(float, row)), str(label)]) for row, label in zip(x, y, strict=True)]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@cache
def asked(dataset: str) -> object:
    """The settings of a dataset without any of one's own, composed once."""
    return settings(f"dataset={dataset}").dataset


def load(root: Path | str | None, dataset: str = "vectors", **values: object) -> Published:
    """What ``sdrun dataset=DATASET dataset.root=ROOT`` reads."""
    return tasks.load(replace(asked(dataset), root=None if root is None else str(root), **values))
