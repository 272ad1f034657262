"""A random window of each image, resized, flipped and blurred as two matrix products."""

import math

import torch
from torch import Tensor

RATIO = (3 / 4, 4 / 3)


def boxes(size: tuple[int, int], area: list[float], u: Tensor) -> Tensor:
    """Random windows [B, 4] of whole pixels: top, left, height, width.

    A share of the area between the two ends of ``area``, the logarithm of width over height even between those of 3:4
    and 4:3, as torchvision's RandomResizedCrop; but what is too long for the image is cut to its side, not drawn anew.
    ``u``: [B, 4] in [0, 1) for area, ratio, top and left.
    """
    height, width = size
    share = area[0] + (area[1] - area[0]) * u[:, 0]
    low, high = (math.log(end) for end in RATIO)
    stretch = (low + (high - low) * u[:, 1]).mul(0.5).exp()
    if area[0] == area[1] == 1:
        stretch = torch.ones_like(stretch)
    side = (share * height * width).sqrt()
    h = (side / stretch).round().clamp(1, height)
    w = (side * stretch).round().clamp(1, width)
    top, left = (u[:, 2] * (height - h + 1)).floor(), (u[:, 3] * (width - w + 1)).floor()
    return torch.stack([top, left, h, w], dim=1)


def resize_matrix(start: Tensor, length: Tensor, inputs: int, outputs: int) -> Tensor:
    """Matrices [B, outputs, inputs] that resize the window [start, start + length) of a line of pixels.

    Bicubic (a = -0.5) and widened when it shrinks, against aliasing, as Pillow's and torchvision's.
    """
    step = (length / outputs).view(-1, 1, 1)
    pixel = torch.arange(inputs, device=start.device) + 0.5 - start.view(-1, 1)
    centre = (torch.arange(outputs, device=start.device) + 0.5).view(1, -1, 1) * step
    t = ((pixel[:, None] - centre) / step.clamp_min(1)).abs_()
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    inside = (pixel > 0) & (pixel < length.view(-1, 1))
    weight = torch.where(t < 1, near, torch.where(t < 2, far, 0)) * inside[:, None]
    return weight / weight.sum(dim=2, keepdim=True)


def blur_matrix(sigma: Tensor, size: int) -> Tensor:
    """Matrices [B, size, size] of a Gaussian blur of ``sigma`` [B] pixels; a sigma of 0 changes nothing."""
    place = torch.arange(size, device=sigma.device)
    squared = (place[:, None] - place).square()
    weight = torch.exp(-squared / (2 * sigma.clamp_min(1e-3).square()).view(-1, 1, 1))
    return weight / weight.sum(dim=2, keepdim=True)


def resample(
    images: Tensor, size: int, area: list[float], flip: bool, blur: float, blur_sigma: list[float], u: Tensor
) -> Tensor:
    """A random window of each image as ``size`` x ``size`` pixels, flipped in one of two cases.

    A share ``blur`` is blurred by some pixels between the two ends of ``blur_sigma``. images: float [B, C, H, W] in
    0 to 1; ``u``: [B, 7] in [0, 1) for window (see ``boxes``), flip, blur and its width.
    """
    height, width = images.shape[2:]
    top, left, h, w = boxes((height, width), area, u[:, :4]).unbind(1)
    rows = resize_matrix(top, h, height, size)
    columns = resize_matrix(left, w, width, size)
    if flip:
        columns = torch.where((u[:, 4] < 0.5).view(-1, 1, 1), columns, columns.flip(1))
    if blur:
        sigma = blur_sigma[0] + (blur_sigma[1] - blur_sigma[0]) * u[:, 6]
        gauss = blur_matrix(torch.where(u[:, 5] < blur, sigma, 0), size)
        rows, columns = gauss @ rows, gauss @ columns
    return (rows[:, None] @ images @ columns.mT[:, None]).clamp_(0, 1)
