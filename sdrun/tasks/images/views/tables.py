"""What values pixels have, as one table of 256 levels a channel: any chain of such operations is a single look-up."""

import torch
from torch import Tensor

from sdrun.tasks.images.views.colour import LUMA

LEVELS = 256


class Tables:
    """Operations on the values of uint8 images [B, C, H, W], each on the samples that are ``chosen`` [B].

    They are applied to the levels of each channel, [B, C, 256], in the order of the calls, and to the pixels at the
    end. Statistics that an operation needs are those of the values so far. As in Pillow, values are whole numbers.
    """

    def __init__(self, images: Tensor) -> None:
        self.shape = images.shape
        self.pixels = images.flatten(2).long()
        ones = torch.ones((), device=images.device).expand(self.pixels.shape)
        self.counts = torch.zeros(*images.shape[:2], LEVELS, device=images.device).scatter_add_(2, self.pixels, ones)
        self.levels = torch.arange(LEVELS, device=images.device, dtype=torch.float).expand(self.counts.shape)

    def equalise(self, chosen: Tensor) -> None:
        """Spread the values evenly, as Pillow's ``equalize``. Of the values as given: it comes first."""
        last = torch.where(self.counts > 0, torch.arange(LEVELS, device=chosen.device), 0).amax(dim=2, keepdim=True)
        step = ((self.counts.sum(dim=2, keepdim=True) - self.counts.gather(2, last)) / (LEVELS - 1)).floor()
        before = self.counts.cumsum(dim=2) - self.counts
        spread = (before + (step / 2).floor()) / step.clamp_min(1)
        self._set(chosen & (step > 0).flatten(1).T, spread)

    def autocontrast(self, chosen: Tensor) -> None:
        """Stretch the values of each channel from 0 to 255."""
        there = self.counts > 0
        low = torch.where(there, self.levels, LEVELS).amin(dim=2, keepdim=True)
        high = torch.where(there, self.levels, -1).amax(dim=2, keepdim=True)
        stretched = (self.levels - low) * (LEVELS - 1) / (high - low).clamp_min(1)
        self._set(chosen & (high > low).flatten(1).T, stretched)

    def brighten(self, chosen: Tensor, factor: Tensor) -> None:
        """Multiply by ``factor`` [B]."""
        self._set(chosen, self.levels * factor.view(-1, 1, 1))

    def contrast(self, chosen: Tensor, factor: Tensor) -> None:
        """Multiply the distance from the mean brightness by ``factor`` [B]."""
        mean = (self.counts * self.levels).sum(dim=2) / self.counts.sum(dim=2)
        weights = mean.new_tensor(LUMA) if mean.shape[1] == 3 else mean.new_ones(1)
        centre = (mean @ weights).view(-1, 1, 1)
        self._set(chosen, centre + (self.levels - centre) * factor.view(-1, 1, 1))

    def posterise(self, chosen: Tensor, dropped: Tensor) -> None:
        """Set the lowest ``dropped`` [B] bits to 0."""
        step = torch.exp2(dropped).view(-1, 1, 1)
        self._set(chosen, (self.levels / step).floor() * step)

    def solarise(self, chosen: Tensor, threshold: Tensor) -> None:
        """Invert the values from ``threshold`` [B] on."""
        self._set(chosen, torch.where(self.levels >= threshold.view(-1, 1, 1), LEVELS - 1 - self.levels, self.levels))

    def look_up(self) -> Tensor:
        """The images with their new values, float [B, C, H, W] in 0 to 1."""
        return (self.levels / (LEVELS - 1)).gather(2, self.pixels).view(self.shape)

    def _set(self, chosen: Tensor, levels: Tensor) -> None:
        """``chosen``: [B], or [C, B] where channels differ."""
        where = chosen.expand(self.shape[1], -1).T[:, :, None]
        self.levels = torch.where(where, levels.clamp_(0, LEVELS - 1).floor_(), self.levels)
