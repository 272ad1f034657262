"""One of several classes: logits [B, K]."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.data.source import Fields
from sdrun.losses.distillation import kd_each


@dataclass(frozen=True)
class Categorical(Answers):
    """Logits of ``num_classes`` classes; the truth is ``label``: a class [B], probabilities [B, K], or which ones are
    right [B, K] bool, of whose probability together the logarithm counts.

    ``weights`` [K]: how much the truth of an item counts, by its class.

    >>> Categorical(10).agree(torch.eye(10)[:2], torch.eye(10)[1:3])
    tensor([False, False])
    """

    term: ClassVar[str] = "ce"

    num_classes: int
    weights: Tensor | None = None

    def truth(self, answer: Tensor, known: Fields, smoothing: float = 0.0) -> Tensor:
        label = known["label"]
        if label.dtype == torch.bool:
            each = any_of(answer, label, smoothing)
            label = label / label.sum(dim=1, keepdim=True)
        elif self.weights is None:
            return F.cross_entropy(answer, label, label_smoothing=smoothing)
        else:
            each = F.cross_entropy(answer, label, label_smoothing=smoothing, reduction="none")
        if self.weights is None:
            return each.mean()
        weight = self.weights[label] if label.ndim == 1 else label @ self.weights
        return (weight * each).mean()

    def balanced(self, labels: Tensor) -> "Categorical":
        """Answers whose truth has each class count as much as any other among ``labels`` [N]."""
        counts = torch.bincount(labels, minlength=self.num_classes)
        return replace(self, weights=len(labels) / (self.num_classes * counts.clamp_min(1)))

    def distance(self, student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
        return kd_each(student, teacher, temperature)

    def together(self, answers: Sequence[Tensor]) -> Tensor:
        return mean_probability(answers)

    def agree(self, one: Tensor, other: Tensor) -> Tensor:
        return one.argmax(dim=1) == other.argmax(dim=1)

    def head(self, num_features: int) -> nn.Module:
        return nn.Linear(num_features, self.num_classes)


def any_of(logits: Tensor, right: Tensor, smoothing: float = 0.0) -> Tensor:
    """Negative logarithm [B] of the probability that any class which is right has; right: [B, K] bool.

    Smoothed as a label is: of one class alone it is the cross-entropy.
    """
    log_probability = logits.log_softmax(dim=1)
    each = -log_probability.masked_fill(~right, -math.inf).logsumexp(dim=1)
    return (1 - smoothing) * each - smoothing * log_probability.mean(dim=1) if smoothing else each


def mean_probability(logits: Sequence[Tensor]) -> Tensor:
    """Logits of an ensemble: the log of the mean of the members' probabilities. Each: [B, K]."""
    if len(logits) == 1:
        return logits[0]
    return torch.stack([z.log_softmax(dim=1) for z in logits]).logsumexp(dim=0) - math.log(len(logits))
