"""How vectors are seen: standardised, and with noise or numbers of other items, a batch at a time on the device."""

import math

import torch
from torch import Tensor

from sdrun.data.source import Fields
from sdrun.tasks.vectors.settings import ViewSettings

LEAST = 2**-24
"""What two uniform numbers differ by at least: a normal distribution has a share of 0 below no number."""


class Standardise:
    """The clean view: ``(x - mean) / std`` of each number."""

    num_draws = 0

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        self.mean, self.std = mean, std

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        return self.standardised(fields["vector"])

    def undo(self, vectors: Tensor) -> Tensor:
        """Standardised vectors [B, D] as they were."""
        return vectors * self.std + self.mean

    def standardised(self, vectors: Tensor) -> Tensor:
        """Vectors [B, D] in standard deviations from the mean."""
        return (vectors - self.mean) / self.std


class View:
    """Standardised vectors [B, D] of which numbers are masked, swapped, and moved by noise.

    ``others`` [N, D]: training items, whose numbers come in the place of those that are swapped, each by itself: a draw
    from the numbers of its column. To change how much one of the three does changes nothing of what others draw.
    """

    def __init__(self, settings: ViewSettings, clean: Standardise, others: Tensor) -> None:
        self.settings, self.clean, self.others = settings, clean, others
        self.num_draws = 3 * others.shape[1]

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        s, x = self.settings, fields["vector"]
        choice, whose, noise = u.unflatten(1, (3, -1)).unbind(dim=1)  # [B, D] each
        if s.swap:
            row = (whose * len(self.others)).long().clamp_max(len(self.others) - 1)
            x = torch.where(choice < s.swap, self.others.gather(0, row), x)
        x = self.clean.standardised(x)
        if s.mask:
            x = x.masked_fill(choice >= 1 - s.mask, 0)
        if s.noise:
            x = x + s.noise * normal(noise)
        return x


def normal(u: Tensor) -> Tensor:
    """The numbers of which a normal distribution has the shares ``u``, uniform numbers in [0, 1), below them."""
    return math.sqrt(2) * torch.erfinv((2 * u - 1).clamp_min(LEAST - 1))  # torch's own ndtri takes four times as long
