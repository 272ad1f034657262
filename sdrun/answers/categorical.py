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
    """Logits of ``num_classes`` classes; the truth is ``label``: a class [B], or probabilities [B, K].

    ``weights`` [K]: how much the truth of an item counts, by its class.

    >>> Categorical(10).agree(torch.eye(10)[:2], torch.eye(10)[1:3])
    tensor([False, False])
    """

    term: ClassVar[str] = "ce"

    num_classes: int
    weights: Tensor | None = None

    def truth(self, answer: Tensor, known: Fields, smoothing: float = 0.0) -> Tensor:
        label = known["label"]
        if self.weights is None:
            return F.cross_entropy(answer, label, label_smoothing=smoothing)
        each = F.cross_entropy(answer, label, label_smoothing=smoothing, reduction="none")
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


def mean_probability(logits: Sequence[Tensor]) -> Tensor:
    """Logits of an ensemble: the log of the mean of the members' probabilities. Each: [B, K]."""
    if len(logits) == 1:
        return logits[0]
    return torch.stack([z.log_softmax(dim=1) for z in logits]).logsumexp(dim=0) - math.log(len(logits))
