"""FreeMatch's term for all classes."""

import torch
from torch import Tensor

from sdrun.ranks import OverRanks


def fairness(student: Tensor, weight: Tensor, classes: Tensor, histogram: Tensor, mean: OverRanks) -> Tensor:
    """FreeMatch's term against dying classes, ``sum_c a_c log b_c`` (2205.07246, equation 11), a scalar.

    a is the running mean ``classes`` [K] of the teacher's probabilities over the running ``histogram`` [K] of its
    labels, b the same of the student's logits [U, K] in this batch, of the samples with ``weight`` [U] of 1; each is
    normalised. Classes that the student predicts nowhere are left out; the paper's code has a constant for them. 0 of
    no samples.
    """
    probabilities = student.softmax(dim=1)
    label = probabilities.argmax(dim=1)
    counts = mean(torch.zeros_like(classes).scatter_add_(0, label, weight) / len(label))
    own = (weight[:, None] * probabilities).mean(dim=0)
    batch = own + (mean(own.detach()) - own.detach())  # all ranks' value; each rank's gradient is of its own part
    there = counts > 0
    targets = _normalised(torch.where(histogram > 0, classes / histogram, 0))
    predicted = _normalised(torch.where(there, batch / torch.where(there, counts, 1), 0))
    return torch.where(there, targets * torch.where(there, predicted, 1).log(), 0).sum()


def _normalised(values: Tensor) -> Tensor:
    return values / values.sum().clamp_min(1e-12)
