"""Thresholds of early exit: what they give on logits that are there, and which to choose."""

from dataclasses import dataclass

import numpy as np
import torch

from sdrun.methods.layerwise.early_exit import confidence
from sdrun.methods.layerwise.exits import ALWAYS, NEVER, Confidence

NUM_LEVELS = 200


@dataclass(frozen=True)
class Leaving:
    """Samples with the logits of all exits [N, exits, K], over the temperature of each exit, and labels [N]."""

    logits: np.ndarray
    labels: np.ndarray
    confidences: np.ndarray

    @classmethod
    def of(cls, logits: np.ndarray, labels: np.ndarray, temperatures: list[float], kind: Confidence) -> "Leaving":
        """logits: [N, exits, K] as trained."""
        scaled = torch.tensor(logits) / torch.tensor(temperatures, dtype=torch.float32)[:, None]
        return cls(scaled.numpy(), labels, confidence(scaled, kind).numpy())

    def exits(self, thresholds: list[float]) -> np.ndarray:
        """Where each sample leaves: [N], 0 the shallowest."""
        leaves = self.confidences[:, :-1] >= np.asarray(thresholds, dtype=np.float32)
        return np.where(leaves.any(axis=1), leaves.argmax(axis=1), leaves.shape[1])

    def taken(self, exits: np.ndarray) -> np.ndarray:
        """The logits [N, K] with which samples leave."""
        return self.logits[np.arange(len(exits)), exits]

    def accuracy(self, exits: np.ndarray) -> float:
        return float((self.taken(exits).argmax(axis=1) == self.labels).mean())


@dataclass(frozen=True)
class Point:
    """What thresholds give: a point of accuracy over compute.

    ``multiply_adds``: mean of a sample; ``shares``: of the samples that leave at each exit.
    """

    thresholds: list[float]
    accuracy: float
    multiply_adds: float
    shares: list[float]


def point(samples: Leaving, thresholds: list[float], costs: list[int]) -> Point:
    """costs: multiply-adds of a sample that leaves at each exit."""
    exits = samples.exits(thresholds)
    shares = np.bincount(exits, minlength=len(costs)) / len(exits)
    return Point(thresholds, samples.accuracy(exits), float(shares @ costs), shares.tolist())


def curve(samples: Leaving, levels: list[float], costs: list[int]) -> list[Point]:
    """The points at which all shallow exits share a level of confidence."""
    return [point(samples, [level] * (len(costs) - 1), costs) for level in levels]


def levels(samples: Leaving, kind: Confidence) -> list[float]:
    """Levels at which the shares of leaving samples change by about a 200th, from all that leave at once to none."""
    inner = np.quantile(samples.confidences[:, :-1], np.arange(1, NUM_LEVELS) / NUM_LEVELS, method="nearest")
    return [ALWAYS[kind], *np.unique(inner).tolist(), NEVER[kind]]


def within_tolerance(curve: list[Point], tolerance: float) -> Point:
    """The cheapest point that loses at most the tolerance against the most accurate one.

    The last point is the full network, so the most accurate is no worse. Measured against the full network itself, the
    cheapest of many points would often be one that got there by luck.
    """
    best = max(p.accuracy for p in curve)
    good = [p for p in curve if p.accuracy >= best - tolerance - 1e-9]
    return min(good, key=lambda p: (p.multiply_adds, -p.accuracy))


def within_budget(curve: list[Point], budget: float) -> Point | None:
    """The most accurate point of at most so many multiply-adds, the cheapest of such; None where all cost more."""
    affordable = [p for p in curve if p.multiply_adds <= budget]
    return max(affordable, key=lambda p: (p.accuracy, -p.multiply_adds), default=None)
