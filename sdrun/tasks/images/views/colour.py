"""What values pixels have: brightness, contrast, saturation and hue in one product per sample."""

import math

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


def jitter(
    images: Tensor,
    brightness: float,
    contrast: float,
    saturation: float,
    hue: float,
    u: Tensor,
    chosen: Tensor | None = None,
    grey: Tensor | None = None,
) -> Tensor:
    """Raise or lower brightness, contrast, saturation and hue, in this order, and clamp to [0, 1].

    images: float [B, C, H, W] in [0, 1], C of 1 or 3; the first three as shares, ``hue`` as share of the full circle,
    each to either side; ``u``: [B, 4] in [0, 1). Hue turns the chroma plane of YIQ. ``chosen`` [B]: the images that
    change, null for all; ``grey`` [B]: those that lose their colours.
    """
    centred = 2 * u - 1
    if chosen is not None:
        centred = centred * chosen[:, None]
    bright = 1 + brightness * centred[:, 0]
    strength = 1 + contrast * centred[:, 1]
    if images.shape[1] == 1:
        mean = images.mean(dim=(1, 2, 3)) * bright
        gain = (strength * bright).view(-1, 1, 1, 1)
        return (images * gain + ((1 - strength) * mean).view(-1, 1, 1, 1)).clamp(0, 1)
    luma = images.new_tensor(LUMA)
    mean = (images.mean(dim=(2, 3)) @ luma) * bright
    vivid = 1 + saturation * centred[:, 2]
    if grey is not None:
        vivid = torch.where(grey, 0, vivid)
    vivid = vivid.view(-1, 1, 1)
    saturate = vivid * torch.eye(3, device=images.device) + (1 - vivid) * luma.expand(3, 3)
    matrix = _hue_rotation(2 * math.pi * hue * centred[:, 3]) @ saturate
    matrix = matrix * (strength * bright).view(-1, 1, 1)
    coloured = torch.bmm(matrix.to(images.dtype), images.flatten(2)).view(images.shape)
    return (coloured + ((1 - strength) * mean).view(-1, 1, 1, 1)).clamp(0, 1)


def saturate(images: Tensor, factor: Tensor) -> Tensor:
    """Away from grey (above 1) or towards it (below 1) by ``factor`` [B]. images: float [B, 3, H, W] in 0 to 1."""
    grey = (images.new_tensor(LUMA) @ images.flatten(2)).view(len(images), 1, *images.shape[2:])
    vivid = factor.view(-1, 1, 1, 1)
    return (images * vivid).add_(grey * (1 - vivid)).clamp_(0, 1)


def _hue_rotation(angle: Tensor) -> Tensor:
    """Matrices [B, 3, 3] on RGB that turn the chroma by ``angle`` [B] in radians and keep the luma."""
    to_yiq = torch.tensor(YIQ, device=angle.device)
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], dim=1).view(-1, 3, 3)
    return torch.linalg.inv(to_yiq) @ turn @ to_yiq
