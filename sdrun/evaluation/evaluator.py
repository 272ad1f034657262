"""Evaluation of one network on a run's validation and test images."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor, nn

from sdrun.datasets.images import Splits
from sdrun.evaluation.metrics import NAMES, calibrated_scores, fit_temperature, scores
from sdrun.views.view import Normalise

BATCH = 1000

VALIDATED = frozenset(f"val/{name}" for name in NAMES)
"""What ``Evaluator.validate`` gives."""

Network = Callable[[Tensor], Tensor]


class Evaluator:
    """Networks in, numbers out. A network maps normalised images [B, C, H, W] to logits [B, K].

    ``images``: uint8 [N, C, H, W] of ``train``, ``val`` and ``test`` on the device; ``clean``: the view of evaluation.
    """

    def __init__(
        self,
        splits: Splits,
        images: dict[str, Tensor],
        clean: Normalise,
        autocast: Callable[[], AbstractContextManager],
    ) -> None:
        self.splits, self.images, self.clean, self.autocast = splits, images, clean, autocast
        self.labels = {"val": splits.validation.labels, "test": splits.test.labels}

    def validate(self, network: Network) -> dict[str, float]:
        """``val/...`` metrics, without a fitted temperature."""
        return _named("val", scores(self._logits(network, "val"), self.labels["val"]))

    def predictions(self, network: Network) -> dict[str, np.ndarray]:
        """Float32 logits [N, K] of ``val``, where there is such a split, and ``test``."""
        return {part: self._logits(network, part) for part in self.labels if len(self.labels[part])}

    def metrics(self, predictions: dict[str, np.ndarray]) -> dict[str, float]:
        """All metrics of ``predictions``; again with a temperature fitted on validation where there is such a split."""
        metrics: dict[str, float] = {}
        if "val" in predictions:
            metrics["val/temperature"] = fit_temperature(predictions["val"], self.labels["val"])
        for part, logits in predictions.items():
            metrics |= _named(part, scores(logits, self.labels[part]))
            if "val/temperature" in metrics:
                temperature = metrics["val/temperature"]
                metrics |= _named(part, calibrated_scores(logits, self.labels[part], temperature))
        return metrics

    def label_fit(self, network: Network) -> dict[str, float]:
        """How much of the training set is predicted as labelled, and, where labels are wrong, how much as is true."""
        predicted = self._logits(network, "train").argmax(axis=1)
        return {
            "train/given_label_accuracy": float((predicted == self.splits.train.labels).mean()),
            "train/true_label_accuracy": float((predicted == self.splits.true_labels).mean()),
        }

    @torch.no_grad()
    def _logits(self, network: Network, part: str) -> np.ndarray:
        if isinstance(network, nn.Module):
            network.eval()
        with self.autocast():
            logits = [network(self.clean(images)).float().cpu() for images in self.images[part].split(BATCH)]
        return torch.cat(logits).numpy()


def _named(part: str, values: dict[str, float]) -> dict[str, float]:
    return {f"{part}/{name}": value for name, value in values.items()}
