"""Teachers that do not change."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from sdrun.streams.batch import Batch
from sdrun.teachers.freezing import freeze


def mean_probability(logits: Sequence[Tensor]) -> Tensor:
    """Logits of an ensemble: the log of the mean of the members' probabilities. Each: [B, K]."""
    if len(logits) == 1:
        return logits[0]
    return torch.stack([z.log_softmax(dim=1) for z in logits]).logsumexp(dim=0) - math.log(len(logits))


class Frozen:
    """One frozen network, or the ensemble of several, as a teacher: the batch's view ``role`` to logits [B, K].

    No ``nn.Module``, so that no parent switches it to training and no checkpoint holds it; the networks themselves
    are put in eval mode and refuse both training and gradients from here on. ``lineage`` says where they come from.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        autocast: Callable[[], AbstractContextManager],
        role: str = "weak",
        lineage: Sequence[dict[str, str]] = (),
    ) -> None:
        self.networks = [freeze(network) for network in networks]
        self.autocast = autocast
        self.role = role
        self.lineage = list(lineage)

    def __call__(self, batch: Batch) -> Tensor:
        return self.logits(batch.views[self.role][0])

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """images: normalised [B, C, H, W]; returns [B, K] in float32."""
        with self.autocast():
            logits = [network(images) for network in self.networks]
        return mean_probability([z.float() for z in logits])
