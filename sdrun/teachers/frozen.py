"""Teachers that do not change."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from sdrun.models.ensembles import mean_probability
from sdrun.streams.batch import Batch
from sdrun.teachers.freezing import freeze


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
