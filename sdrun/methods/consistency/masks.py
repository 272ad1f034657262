"""How much an unlabelled sample counts, by what the teacher predicts of it."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from sdrun.methods.consistency.settings import ConsistencySettings, Masking
from sdrun.ranks import OverRanks

SPREADS = 2
LEAST = 1e-12


class Mask(nn.Module, ABC):
    """Weights 0 to 1 of samples. What it learns of a step's samples it uses from the next step on."""

    @abstractmethod
    def forward(self, probabilities: Tensor) -> Tensor:
        """[U, K] to weights [U]."""

    @abstractmethod
    def thresholds(self, probabilities: Tensor) -> Tensor:
        """The confidence [K] from which on a sample [K] of each class counts in full."""

    def see(self, probabilities: Tensor, index: Tensor) -> None:
        """Take note of samples [U, K] at the positions ``index`` [U] of the training set."""

    def follow(self) -> None:
        """Learn from what was seen since the last time; by all ranks together."""


class Fixed(Mask):
    """Counts where the largest probability reaches ``threshold``; of 0, everywhere."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, probabilities: Tensor) -> Tensor:
        return _reaching(probabilities, self.thresholds(probabilities))

    def thresholds(self, probabilities: Tensor) -> Tensor:
        return probabilities.new_full(probabilities.shape[1:], self.threshold)


class Curriculum(Mask):
    """FlexMatch's thresholds (2110.08263): ``tau b_c / (2 - b_c)``, with b_c how well class c is learned.

    b_c counts the items whose last confident prediction was c, over the largest such count, or over the items that
    had none yet where these are more. ``latest`` [N] is that prediction, -1 where there was none.
    """

    latest: Tensor

    def __init__(self, threshold: float, num_items: int, gather: OverRanks) -> None:
        super().__init__()
        self.threshold, self.gather = threshold, gather
        self.register_buffer("latest", torch.full((num_items,), -1))
        self._seen: list[Tensor] = []

    def forward(self, probabilities: Tensor) -> Tensor:
        return _reaching(probabilities, self.thresholds(probabilities))

    def thresholds(self, probabilities: Tensor) -> Tensor:
        counts = self.latest.new_zeros(1 + probabilities.shape[1])
        counts.scatter_add_(0, self.latest + 1, torch.ones_like(self.latest))
        learned = counts[1:] / counts.max()
        return self.threshold * learned / (2 - learned)

    def see(self, probabilities: Tensor, index: Tensor) -> None:
        top, label = probabilities.max(dim=1)
        self._seen.append(torch.stack([index, torch.where(top >= self.threshold, label, -1)], dim=1))

    def follow(self) -> None:
        index, label = self.gather(torch.cat(self._seen)).unbind(1)
        self._seen = []
        place = torch.where(label >= 0, index, len(self.latest))  # one more for all that are not confident
        latest = torch.cat([self.latest, self.latest.new_zeros(1)])
        latest[place] = -1  # an item may come twice: then the larger label stays, whatever the order
        self.latest.copy_(latest.scatter_reduce(0, place, label, "amax")[:-1])


class Following(Mask):
    """Keeps running means over the samples of all ranks, with ``momentum``.

    ``mean_confidence`` and ``variance``: of ``confidence``; ``classes`` [K]: of probabilities; ``histogram`` [K]: of
    most likely classes. The means start at what an even prediction gives, the variance, of all of a step's samples,
    at 1.
    """

    mean_confidence: Tensor
    variance: Tensor
    classes: Tensor
    histogram: Tensor

    def __init__(self, momentum: float, num_classes: int, mean: OverRanks) -> None:
        super().__init__()
        self.momentum, self.mean = momentum, mean
        self.register_buffer("mean_confidence", torch.tensor(1 / num_classes))
        self.register_buffer("variance", torch.tensor(1.0))
        self.register_buffer("classes", torch.full((num_classes,), 1 / num_classes))
        self.register_buffer("histogram", torch.full((num_classes,), 1 / num_classes))
        self._seen: list[Tensor] = []

    @abstractmethod
    def confidence(self, probabilities: Tensor) -> Tensor:
        """[U, K] to [U]."""

    def see(self, probabilities: Tensor, index: Tensor) -> None:
        confidence, label = self.confidence(probabilities), probabilities.argmax(dim=1)
        counts = torch.zeros_like(self.histogram).scatter_add_(0, label, torch.ones_like(confidence))
        moments = torch.stack([confidence.mean(), confidence.square().mean()])
        self._seen.append(torch.cat([moments, probabilities.mean(dim=0), counts / len(label)]))

    def follow(self) -> None:
        seen = self.mean(torch.stack(self._seen).mean(dim=0))
        self._seen = []
        (mean, square), (classes, histogram) = seen[:2], seen[2:].chunk(2)
        news = [mean, (square - mean.square()).clamp_min(0), classes, histogram]
        for own, new in zip((self.mean_confidence, self.variance, self.classes, self.histogram), news, strict=True):
            own.lerp_(new, 1 - self.momentum)


class SelfAdaptive(Following):
    """FreeMatch (2205.07246): the mean confidence, times the mean probability of a class over the largest of these."""

    def confidence(self, probabilities: Tensor) -> Tensor:
        return probabilities.amax(dim=1)

    def forward(self, probabilities: Tensor) -> Tensor:
        return _reaching(probabilities, self.thresholds(probabilities))

    def thresholds(self, probabilities: Tensor) -> Tensor:
        return self.mean_confidence * self.classes / self.classes.max()


class Soft(Following):
    """SoftMatch (2301.10921): 1 from the mean confidence on, below it a Gaussian of half the spread."""

    def confidence(self, probabilities: Tensor) -> Tensor:
        """Of uniformly aligned predictions: each class's probability over its running mean, normalised again."""
        aligned = probabilities / self.classes.clamp_min(LEAST)
        return aligned.amax(dim=1) / aligned.sum(dim=1)

    def forward(self, probabilities: Tensor) -> Tensor:
        below = (self.confidence(probabilities) - self.mean_confidence).clamp_max(0)
        return torch.exp(-below.square() / (2 * self.variance.clamp_min(LEAST) / SPREADS**2))

    def thresholds(self, probabilities: Tensor) -> Tensor:
        return self.mean_confidence.expand(probabilities.shape[1])


def _reaching(probabilities: Tensor, thresholds: Tensor) -> Tensor:
    """1 where the most likely class reaches its threshold, else 0: [U] from [U, K] and [K]."""
    top, label = probabilities.max(dim=1)
    return (top >= thresholds[label]).float()


def build(settings: ConsistencySettings, num_items: int, num_classes: int, mean: OverRanks, gather: OverRanks) -> Mask:
    """The mask of the settings, for so many training items and classes."""
    if settings.mask is Masking.none:
        return Fixed(0.0)
    if settings.threshold is not None:
        is_fixed = settings.mask is Masking.fixed
        return Fixed(settings.threshold) if is_fixed else Curriculum(settings.threshold, num_items, gather)
    assert settings.threshold_momentum is not None
    kind = SelfAdaptive if settings.mask is Masking.self_adaptive else Soft
    return kind(settings.threshold_momentum, num_classes, mean)
