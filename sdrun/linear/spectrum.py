"""Ridge regression and its self-distillation as filters of one spectrum. Imports no torch.

A student of penalty ``p`` on features of covariance ``Q diag(w) Q'`` learns ``h = w / (w + p)`` of each direction. One
that learns ``(1 - alpha) y + alpha t`` of a teacher whose filter is ``g`` has ``h (1 - alpha + alpha g)`` (Das and
Sanghavi 2023, 2301.13304): no network has to be trained to know what any number of steps would give.
"""

from dataclasses import dataclass

import numpy as np

LEAST = 1e-10
"""A direction has a variance, as a share of the largest, or it is left out."""


@dataclass(frozen=True)
class Spectrum:
    """Of features of ``num`` items: variances [D] of directions ``axes`` [F, D], in standardised features."""

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    num: int

    @classmethod
    def of(cls, features: np.ndarray) -> "Spectrum":
        """features: [N, F]."""
        mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
        x = (features - mean) / scale
        variances, axes = np.linalg.eigh(x.T @ x / len(x))
        has_any = variances > LEAST * variances.max()
        return cls(mean, scale, axes[:, has_any], variances[has_any], len(x))

    def along(self, features: np.ndarray) -> np.ndarray:
        """Other features [M, F] by direction [M, D]."""
        return np.asarray(((features - self.mean) / self.scale) @ self.axes)

    def fitted(self, along: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Weights [D, K] of least squares without a penalty; along: the items themselves; targets [N, K], centred."""
        return np.asarray(along.T @ targets / self.num / self.variances[:, None])

    def heights(self, along: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """How much of centred targets [N, K] is in each direction [D], per item."""
        parts = along.T @ targets / np.sqrt(self.num * self.variances)[:, None]
        return np.asarray((parts**2).sum(axis=1) / self.num)


def student(variances: np.ndarray, penalty: float) -> np.ndarray:
    """What is learned of each direction [D]."""
    return variances / (variances + penalty)


def distilled(own: np.ndarray, teacher: np.ndarray, alpha: float) -> np.ndarray:
    """The filter [D] of a student of ``own`` filter by labels of which ``alpha`` is a teacher's word."""
    return own * (1 - alpha + alpha * teacher)


def best_alpha(own: np.ndarray, heights: np.ndarray, noise: float) -> float:
    """Which mixture with itself a student learns best from, by theory.

    own: filter [D]; heights [D]: of the expected labels; noise: variance of a label around these, per item, in each
    direction. Minimum of ``sum (1 - g)^2 heights + g^2 noise`` over g = own + alpha own (own - 1), a parabola. It is 0
    where the penalty is the best one, for a step of alpha and one of the penalty then change g alike (2602.17565).
    """
    change = own * (own - 1)
    steep = float((change**2 * (heights + noise)).sum())
    return float((change * ((1 - own) * heights - own * noise)).sum() / steep) if steep > 0 else 0.0
