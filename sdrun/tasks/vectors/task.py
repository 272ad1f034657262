"""Vectors of K classes, in memory as they are, and their views, which standardise them."""

import json

import numpy as np
import torch

from sdrun.answers.categorical import Categorical
from sdrun.data.labelled import Splits
from sdrun.data.source import in_memory
from sdrun.errors import RunError
from sdrun.hardware import Hardware
from sdrun.judges.classification import Classification
from sdrun.settings import CLEAN
from sdrun.task import Task
from sdrun.tasks import Keep
from sdrun.tasks.vectors.settings import VectorsSettings
from sdrun.tasks.vectors.views import Standardise, View

FILE = "standardisation.json"
BATCH = 1000
"""Vectors of which copies in float64 are in memory together."""


def build(settings: VectorsSettings, splits: Splits, hardware: Hardware, keep: Keep) -> Task:
    """Mean and standard deviation are those of the run's training items, kept with it."""
    parts = in_memory(splits, hardware.device)
    vectors = splits.train.fields["vector"]
    assert isinstance(vectors, np.ndarray)
    clean = _read(keep(FILE, lambda: _measured(vectors)), splits.item.shape, hardware.device)
    others = parts["train"].fields["vector"]
    return Task(
        splits=splits,
        parts=parts,
        inputs=("vector",),
        views={CLEAN: clean, **{role: View(view, clean, others) for role, view in settings.views.items()}},
        answers=Categorical(len(splits.classes)),
        judge=Classification,
        told=clean.undo,
        heard=clean.standardised,
    )


def _measured(vectors: np.ndarray) -> bytes:
    """``mean`` and ``std`` of each column of vectors [N, D]; of one that is always the same, 1 for the latter."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    batches = (vectors[start : start + BATCH] for start in range(0, len(vectors), BATCH))
    variance = sum(((batch - mean) ** 2).sum(axis=0) for batch in batches) / len(vectors)
    is_even = vectors.min(axis=0) == vectors.max(axis=0)
    return json.dumps({"mean": mean.tolist(), "std": np.where(is_even, 1, np.sqrt(variance)).tolist()}).encode()


def _read(document: bytes, shape: tuple[int, ...], device: torch.device) -> Standardise:
    """Raises RunError where the document does not say how such vectors are standardised."""
    try:
        numbers = json.loads(document)
        mean, std = (torch.tensor(numbers[name], dtype=torch.float32, device=device) for name in ("mean", "std"))
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{FILE} holds no mean and std ({error}); restore it from a copy") from error
    if mean.shape != shape or std.shape != shape or not (mean.isfinite() & (std > 0)).all():
        raise RunError(f"{FILE} holds no mean and std of {shape[0]} numbers; restore it from a copy")
    return Standardise(mean, std)
