"""A view: uint8 images and uniform numbers in, normalised float images out."""

import torch
from torch import Tensor

from sdrun.tasks.images.settings import ViewSettings
from sdrun.tasks.images.views.colour import jitter
from sdrun.tasks.images.views.geometry import affine, cutout, flip_crop
from sdrun.tasks.images.views.randaugment import RandAugment
from sdrun.tasks.images.views.resample import resample


class Normalise:
    """The clean view: ``(x / 255 - mean) / std`` per channel."""

    num_draws = 0

    def __init__(self, mean: list[float], std: list[float], device: torch.device, channels_last: bool) -> None:
        self.mean = torch.tensor(mean, device=device).view(-1, 1, 1)
        self.std = torch.tensor(std, device=device).view(-1, 1, 1)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format

    def __call__(self, images: Tensor, u: Tensor | None = None) -> Tensor:
        """[B, C, H, W], uint8, to float; nothing is drawn from ``u``."""
        return self.finish(images.float().div_(255))

    def finish(self, images: Tensor) -> Tensor:
        """[B, C, H, W], floats in 0 to 1, normalised and in the memory format of the model."""
        return ((images - self.mean) / self.std).contiguous(memory_format=self.memory_format)

    def undo(self, images: Tensor) -> Tensor:
        """Normalised images back in 0 to 1."""
        return (images * self.std + self.mean).clamp(0, 1)


COLUMNS: dict[str, slice | int] = {
    "flip_crop": slice(0, 3),
    "affine": slice(3, 7),
    "jitter": slice(7, 11),
    "cutout": slice(11, 13),
    "resample": slice(13, 20),
    "jitters": 20,
    "grey": 21,
    "solarises": 22,
    "randaugment": slice(23, None),
}
"""Which of a sample's uniform numbers each operation looks at, whether the others are on or not."""


class View:
    """An augmented view by settings. The operations that are off cost nothing.

    ``num_draws``: uniform numbers that a sample needs.
    """

    def __init__(self, settings: ViewSettings, normalise: Normalise) -> None:
        self.settings = settings
        self.normalise = normalise
        chances = settings.jitter_chance < 1 or settings.grey > 0 or settings.solarise > 0
        self.num_draws = 23 if settings.resamples or chances or settings.randaugment else 13
        self.augment: RandAugment | None = None
        if settings.randaugment:
            self.augment = RandAugment(settings.randaugment, settings.magnitude, len(normalise.mean))
            self.num_draws += self.augment.num_draws
        self.moves = settings.flip or settings.crop > 0
        self.warps = any((settings.rotate, settings.translate, settings.scale))
        self.colours = any((settings.brightness, settings.contrast, settings.saturation, settings.hue, settings.grey))

    def __call__(self, images: Tensor, u: Tensor) -> Tensor:
        """images: [B, C, H, W] uint8; u: [B, num_draws] in [0, 1). Returns normalised floats [B, C, size, size]."""
        s = self.settings

        def of(operation: str) -> Tensor:
            return u[:, COLUMNS[operation]]

        if self.moves and not s.resamples:
            images = flip_crop(images, s.flip, s.crop, of("flip_crop"))
        x = self.augment(images, of("randaugment")) if self.augment else images.float().div_(255)
        if s.resamples:
            x = resample(x, s.side(x.shape[2]), s.area, s.flip, s.blur, s.blur_sigma, of("resample"))
        if self.warps:
            x = affine(x, s.rotate, s.translate, s.scale, of("affine"))
        if self.colours:
            chosen = of("jitters") < s.jitter_chance if s.jitter_chance < 1 else None
            grey = of("grey") < s.grey if s.grey else None
            x = jitter(x, s.brightness, s.contrast, s.saturation, s.hue, of("jitter"), chosen, grey)
        if s.solarise:
            x = torch.where((of("solarises") < s.solarise).view(-1, 1, 1, 1) & (x >= 0.5), 1 - x, x)
        if s.cutout:
            x = cutout(x, s.cutout, self.normalise.mean.flatten(), of("cutout"))
        return self.normalise.finish(x)
