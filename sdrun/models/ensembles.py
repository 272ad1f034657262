"""What several networks say together."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def mean_probability(logits: Sequence[Tensor]) -> Tensor:
    """Logits of an ensemble: the log of the mean of the members' probabilities. Each: [B, K]."""
    if len(logits) == 1:
        return logits[0]
    return torch.stack([z.log_softmax(dim=1) for z in logits]).logsumexp(dim=0) - math.log(len(logits))
