"""A view: uint8 images and uniform numbers in, normalised float images out."""

import torch
from torch import Tensor

from sdrun.settings import ViewSettings
from sdrun.views.colour import jitter
from sdrun.views.geometry import affine, cutout, flip_crop


class Normalise:
    """The clean view: ``(x / 255 - mean) / std`` per channel."""

    def __init__(self, mean: list[float], std: list[float], device: torch.device, channels_last: bool) -> None:
        self.mean = torch.tensor(mean, device=device).view(-1, 1, 1)
        self.std = torch.tensor(std, device=device).view(-1, 1, 1)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format

    def __call__(self, images: Tensor) -> Tensor:
        """[B, C, H, W], uint8, to float."""
        return self.finish(images.float().div_(255))

    def finish(self, images: Tensor) -> Tensor:
        """[B, C, H, W], floats in 0 to 1, normalised and in the memory format of the model."""
        return ((images - self.mean) / self.std).contiguous(memory_format=self.memory_format)

    def undo(self, images: Tensor) -> Tensor:
        """Normalised images back in 0 to 1."""
        return (images * self.std + self.mean).clamp(0, 1)


class View:
    """An augmented view by settings. The operations that are off cost nothing."""

    num_draws = 13

    def __init__(self, settings: ViewSettings, normalise: Normalise) -> None:
        self.settings = settings
        self.normalise = normalise
        self.moves = settings.flip or settings.crop > 0
        self.warps = any((settings.rotate, settings.translate, settings.scale))
        self.colours = any((settings.brightness, settings.contrast, settings.saturation, settings.hue))

    def __call__(self, images: Tensor, u: Tensor) -> Tensor:
        """images: [B, C, H, W] uint8; u: [B, num_draws] in [0, 1). Returns normalised floats of the same shape."""
        s = self.settings
        if self.moves:
            images = flip_crop(images, s.flip, s.crop, u[:, 0:3])
        x = images.float().div_(255)
        if self.warps:
            x = affine(x, s.rotate, s.translate, s.scale, u[:, 3:7])
        if self.colours:
            x = jitter(x, s.brightness, s.contrast, s.saturation, s.hue, u[:, 7:11])
        if s.cutout:
            x = cutout(x, s.cutout, self.normalise.mean.flatten(), u[:, 11:13])
        return self.normalise.finish(x)
