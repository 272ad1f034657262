"""Evaluation of networks on a run's images: what every kind of it shares."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from sdrun.datasets.images import Splits
from sdrun.models.backbone import Features
from sdrun.views.view import Normalise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCH = 1000

Evaluable = Callable[[Tensor], Tensor | Features]
"""Normalised images [B, C, H, W] to logits [B, K] or to features."""

Networks = Mapping[str, Evaluable]
"""By the word that their metrics carry; the first, without a word, is the one that counts."""


@dataclass(frozen=True)
class Outcome:
    """What came out of an evaluation: numbers, arrays for ``predictions/``, and pictures when they are asked for."""

    metrics: dict[str, float]
    predictions: dict[str, np.ndarray]
    pictures: Callable[[], dict[str, "Figure"]]


class Evaluation(ABC):
    """How the networks of a stage are judged."""

    @abstractmethod
    def validate(self, networks: Networks) -> dict[str, float]:
        """``val/...`` metrics while a stage trains, quick to compute. ``full`` has all of them, too."""

    @abstractmethod
    def score(self, metrics: dict[str, float]) -> list[float]:
        """What makes one set of validation metrics better than another; the larger list wins."""

    @abstractmethod
    def full(self, networks: Networks) -> Outcome:
        """Everything about the networks of a finished stage."""


class Data:
    """The images of a run as evaluation sees them.

    ``images``: uint8 [N, C, H, W] of ``train``, ``val`` and ``test`` on the device; ``clean``: the view of evaluation;
    ``labels`` [N]: those that a run may know, which is all of ``val`` and ``test``, and -1 where ``train`` has none.
    """

    def __init__(
        self,
        splits: Splits,
        images: dict[str, Tensor],
        clean: Normalise,
        autocast: Callable[[], AbstractContextManager],
    ) -> None:
        self.splits, self.images, self.clean, self.autocast = splits, images, clean, autocast
        known = np.full(len(splits.train), -1)
        known[splits.labelled] = splits.train.labels[splits.labelled]
        self.labels = {"train": known, "val": splits.validation.labels, "test": splits.test.labels}

    @property
    def parts(self) -> list[str]:
        """The held-out parts that are there: ``val``, where validation is split off, and ``test``."""
        return [part for part in ("val", "test") if len(self.labels[part])]

    @torch.no_grad()
    def outputs(self, network: Evaluable, part: str, index: np.ndarray | None = None) -> Tensor:
        """Logits or final features of the images of a part, or of those at ``index``: float32 [N, D], on the device."""
        if isinstance(network, nn.Module):
            network.eval()
        images = self.images[part]
        if index is not None:
            images = images[torch.as_tensor(index, device=images.device)]
        with self.autocast():
            outputs = [network(self.clean(batch)) for batch in images.split(BATCH)]
        return torch.cat([(x.final if isinstance(x, Features) else x).float() for x in outputs])


def prefixed(part: str, word: str, values: dict[str, float]) -> dict[str, float]:
    """Metrics as they are recorded: ``part/name``, or ``part/word/name`` of a network that carries a word."""
    head = f"{part}/{word}" if word else part
    return {f"{head}/{name}": value for name, value in values.items()}
