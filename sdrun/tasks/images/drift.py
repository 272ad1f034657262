"""Images that drift: turned by degrees, or corrupted by a strength from 0 to 1; a batch at a time on their device."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from sdrun.data.source import at_once
from sdrun.randomness import generator
from sdrun.tasks.images.views.geometry import warp

NOISE, CONTRAST, WIDTH = 0.3, 0.6, 1.5
"""Of the strongest corruption: standard deviation of the noise, share of the contrast that goes, pixels of the blur."""

Drift = Callable[[Tensor, Tensor, Tensor], Tensor]
"""images [B, C, H, W] in 0 to 1, amounts [B], and normal numbers of the images' shape: images that have drifted."""


def drifted(images: Tensor, amounts: Tensor, kind: str, name: str) -> Tensor:
    """images: [N, C, H, W] uint8, each by its own amount; what is random depends on ``name`` alone."""
    random, drift, batches = generator("drift", name), DRIFTS[kind], []
    for index in torch.arange(len(images)).split(at_once(images.shape[1:])):
        batch = images[index.to(images.device)]
        noise = torch.randn(batch.shape, generator=random).to(images.device)
        moved = drift(batch.float().div_(255), amounts[index].to(images.device), noise)
        batches.append(moved.mul_(255).round_().clamp_(0, 255).byte())
    return torch.cat(batches)


def rotated(images: Tensor, degrees: Tensor, _: Tensor) -> Tensor:
    """About the centre, counter-clockwise, bilinear, zero outside."""
    cos, sin = torch.deg2rad(degrees).cos(), torch.deg2rad(degrees).sin()
    zero = torch.zeros_like(cos)
    return warp(images, torch.stack([cos, -sin, zero, sin, cos, zero], dim=1).view(-1, 2, 3))


def corrupted(images: Tensor, strength: Tensor, noise: Tensor) -> Tensor:
    """Blurred, paler and noisy: each from nothing to its strongest."""
    share, channels = strength.view(-1, 1, 1, 1), images.shape[1]
    radius = math.ceil(3 * WIDTH)
    line = torch.exp(-(torch.arange(-radius, radius + 1, device=images.device) ** 2) / (2 * WIDTH**2))
    kernel = (line / line.sum()).expand(channels, 1, -1)
    blurred = F.conv2d(images, kernel[:, :, None], padding=(0, radius), groups=channels)
    blurred = F.conv2d(blurred, kernel[..., None], padding=(radius, 0), groups=channels)
    x = images.lerp(blurred, share)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return (x.lerp(mean, CONTRAST * share) + NOISE * share * noise).clamp_(0, 1)


DRIFTS: dict[str, Drift] = {"rotation": rotated, "corruption": corrupted}
"""By the kind of the stream."""
