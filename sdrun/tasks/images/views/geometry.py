"""Where pixels lie and what their neighbours do: flip, padded crop, affine maps, sharpness, cutout."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def flip_crop(images: Tensor, flip: bool, padding: int, u: Tensor) -> Tensor:
    """Left-right flip with a chance of one half, and a window out of the zero-padded one, as a single gather.

    images: [B, C, H, W] of any type; ``u``: [B, 3] in [0, 1) for flip, row and column. Returns the same shape and type.
    """
    batch, channels, height, width = images.shape
    row = (u[:, 1:2] * (2 * padding + 1)).long() + torch.arange(height, device=images.device)
    column = torch.arange(width, device=images.device).expand(batch, width)
    if flip:
        column = torch.where(u[:, 0:1] < 0.5, column, width - 1 - column)
    column = (u[:, 2:3] * (2 * padding + 1)).long() + column
    padded = F.pad(images, (padding,) * 4) if padding else images
    flat = row[:, :, None] * padded.shape[3] + column[:, None, :]
    return padded.flatten(2).gather(2, flat.flatten(1)[:, None].expand(-1, channels, -1)).view(images.shape)


def affine(images: Tensor, rotate: float, translate: float, scale: float, u: Tensor) -> Tensor:
    """Rotation, shift and zoom about the centre, bilinear, zero outside.

    images: float [B, C, H, W]; ``rotate`` in degrees, ``translate`` and ``scale`` as shares, each to either side;
    ``u``: [B, 4] in [0, 1) for angle, shift across, shift down and zoom.
    """
    centred = 2 * u - 1
    angle = centred[:, 0] * math.radians(rotate)
    zoom = 1 + centred[:, 3] * scale
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    shift = 2 * translate * centred[:, 1:3]
    matrix = torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], dim=1).view(-1, 2, 3)
    return warp(images, matrix)


def warp(images: Tensor, matrix: Tensor) -> Tensor:
    """Each image seen through an affine map, bilinear, zero outside.

    images: float [B, C, H, W]; ``matrix``: [B, 2, 3], from a place in the result to one in the image, both with -1 to 1
    across and down, as torch's ``affine_grid``, of which this is a faster form.
    """
    height, width = images.shape[2:]
    down, across = ((2 * torch.arange(side, device=images.device) + 1) / side - 1 for side in (height, width))
    along = matrix[:, :, 0, None] * across + matrix[:, :, 2, None]
    grid = along.mT[:, None] + (matrix[:, :, 1, None] * down).mT[:, :, None]
    return F.grid_sample(images, grid, align_corners=False)


def sharpen_(images: Tensor, factor: Tensor) -> Tensor:
    """Away from the smoothed image (above 1) or towards it (below 1) by ``factor`` [B], as Pillow's; the border stays.

    images: float [B, C, H, W] in 0 to 1, which are changed.
    """
    lines = (images[:, :, :-2] + images[:, :, 1:-1]).add_(images[:, :, 2:])
    box = (lines[..., :-2] + lines[..., 1:-1]).add_(lines[..., 2:])
    smoothed = (1 - factor.view(-1, 1, 1, 1)) / 13  # of the smooth image, (sum of nine + 4 times the middle) / 13
    images[:, :, 1:-1, 1:-1].mul_(1 - 9 * smoothed).add_(box.mul_(smoothed)).clamp_(0, 1)
    return images


def cutout(images: Tensor, share: float, fill: Tensor, u: Tensor) -> Tensor:
    """A square of ``share`` of the side, centred anywhere, set to ``fill`` [C] (1708.04552).

    images: float [B, C, H, W]; ``u``: [B, 2] in [0, 1) for the centre's row and column.
    """
    height, width = images.shape[2:]
    row, column = (torch.arange(side, device=images.device) + 0.5 for side in (height, width))
    inside_row = (row - u[:, 0:1] * height).abs() < share * height / 2
    inside_column = (column - u[:, 1:2] * width).abs() < share * width / 2
    hole = inside_row[:, None, :, None] & inside_column[:, None, None, :]
    return torch.where(hole, fill.view(1, -1, 1, 1), images)
