"""Evaluation of networks on a run's images: what every kind of it shares."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sdrun.datasets.images import Splits
from sdrun.errors import RunError
from sdrun.evaluation.drawing import Draw
from sdrun.hardware import Hardware
from sdrun.models.backbone import Features
from sdrun.randomness import generator
from sdrun.settings import DatasetSettings
from sdrun.views.view import Normalise, View

BATCH = 1000

Evaluable = Callable[[Tensor], Tensor | Features | dict[str, Tensor]]
"""Normalised images [B, C, H, W] to logits [B, K], to features, or to logits by a further word, one of them empty."""

Networks = Mapping[str, Evaluable]
"""By the word that their metrics carry; the first, without a word, is the one that counts."""


@dataclass(frozen=True)
class Outcome:
    """What came out of an evaluation: numbers, arrays for ``predictions/``, and what draws a picture, by its title.

    ``documents``: content of JSON files for the folder of the stage, by name.
    """

    metrics: dict[str, float]
    predictions: dict[str, np.ndarray]
    pictures: dict[str, Draw]
    documents: dict[str, Any] = field(default_factory=dict)


class Evaluation(ABC):
    """How the networks of a finished stage are judged."""

    @abstractmethod
    def full(self, networks: Networks) -> Outcome:
        """Everything about the networks."""


class TrainingEvaluation(Evaluation):
    """One that also looks at the validation split while a stage trains."""

    @abstractmethod
    def validate(self, networks: Networks) -> dict[str, float]:
        """``val/...`` metrics, quick to compute. ``full`` has all of them, too."""

    @abstractmethod
    def score(self, metrics: dict[str, float]) -> list[float]:
        """What makes one set of validation metrics better than another; the larger list wins."""


class Data:
    """The images of a run as evaluation sees them.

    ``images``: uint8 [N, C, H, W] of ``train``, ``val`` and ``test`` on the device; ``clean``: the view of evaluation;
    ``labels`` [N]: those that a run may know, which is all of ``val`` and ``test``, and -1 where ``train`` has none.
    Where ``dataset.test_view`` names a view, such as ``strong``, ``test_strong`` is the test set as seen through it.
    """

    def __init__(self, splits: Splits, settings: DatasetSettings, hardware: Hardware) -> None:
        device = hardware.device
        parts = {"train": splits.train, "val": splits.validation, "test": splits.test}
        self.splits, self.autocast = splits, hardware.autocast
        self.images = {name: torch.tensor(part.images, device=device) for name, part in parts.items()}
        self.clean = Normalise(settings.mean, settings.std, device, hardware.channels_last)
        known = np.full(len(splits.train), -1)
        known[splits.labelled] = splits.train.labels[splits.labelled]
        self.labels = {"train": known, "val": splits.validation.labels, "test": splits.test.labels}
        self.copy: str | None = None
        if settings.test_view is not None:
            self.copy = f"test_{settings.test_view}"
            self.labels[self.copy] = splits.test.labels
            self.images[self.copy] = self._seen(View(settings.views[settings.test_view], self.clean), self.copy)

    @property
    def parts(self) -> list[str]:
        """The held-out parts that are there: ``val``, where validation is split off, ``test``, and its copy."""
        return [part for part in ("val", "test", self.copy) if part and len(self.labels[part])]

    def _seen(self, view: View, name: str) -> Tensor:
        """The test images through a view, uint8; the draws depend on the name alone."""
        random = generator("view of the test set", name)
        batches = self.images["test"].split(BATCH)
        draws = [torch.rand(len(batch), view.num_draws, generator=random).to(batch.device) for batch in batches]
        seen = [self.clean.undo(view(batch, u)) for batch, u in zip(batches, draws, strict=True)]
        return torch.cat(seen).mul_(255).round_().byte()

    def outputs(self, network: Evaluable, part: str, index: np.ndarray | None = None) -> Tensor:
        """Logits or final features of the images of a part, or of those at ``index``: float32 [N, D], on the device.

        Raises RunError where they are NaN or infinite.
        """
        return self.outputs_by_word(network, part, index)[""]

    @torch.no_grad()
    def outputs_by_word(self, network: Evaluable, part: str, index: np.ndarray | None = None) -> dict[str, Tensor]:
        """The same of a network that gives several; of another one, by the empty word."""
        if isinstance(network, nn.Module):
            network.eval()
        images = self.images[part]
        if index is not None:
            images = images[torch.as_tensor(index, device=images.device)]
        with self.autocast():
            outputs = [_by_word(network(self.clean(batch))) for batch in images.split(BATCH)]
        by_word = {word: torch.cat([output[word].float() for output in outputs]) for word in outputs[0]}
        require_finite(f"the network's outputs for {part}", by_word.values())
        return by_word


def _by_word(outputs: Tensor | Features | dict[str, Tensor]) -> dict[str, Tensor]:
    if isinstance(outputs, dict):
        return outputs
    return {"": outputs.final if isinstance(outputs, Features) else outputs}


def require_finite(what: str, tensors: Iterable[Tensor]) -> None:
    """Raise RunError where floating numbers are NaN or infinite; the device is waited for once."""
    flags = [tensor.isfinite().all() for tensor in tensors if tensor.is_floating_point()]
    if not torch.stack(flags).all():
        raise RunError(f"{what} are not finite; lower optim.lr, or set optim.clip_norm=1")


def prefixed(part: str, word: str, values: dict[str, float]) -> dict[str, float]:
    """Metrics as they are recorded: ``part/name``, or ``part/word/name`` of a network that carries a word."""
    head = f"{part}/{word}" if word else part
    return {f"{head}/{name}": value for name, value in values.items()}
