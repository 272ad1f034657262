"""A few operations of many, drawn for each sample."""

import math

import torch
from torch import Tensor

from sdrun.tasks.images.views.colour import saturate
from sdrun.tasks.images.views.geometry import sharpen_, warp
from sdrun.tasks.images.views.tables import LEVELS, Tables

TABLES = ("equalise", "autocontrast", "brightness", "contrast", "posterise", "solarise")
MOTIONS = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
LARGEST_FACTOR = 0.9
LARGEST_ROTATION = math.radians(30)
LARGEST_SHEAR = 0.3
LARGEST_SHIFT = 0.3
DROPPED_BITS = 5


class RandAugment:
    """``num`` different operations a sample, each of a strength drawn evenly up to ``magnitude`` of its range.

    After Cubuk et al. 2019 (1909.13719), with the random strength of FixMatch (2001.07685). Two things differ: the
    operations of a sample come in one order (values, motion, colour, sharpness), so that a batch needs one look-up
    and one resampling; and none is drawn twice. Ranges: factors of 0.1 to 1.9 for brightness, contrast, colour and
    sharpness; 30 degrees; 0.3 of the side for shear and shift; 4 to 8 bits; any threshold of solarise.
    ``num_draws``: uniform numbers that a sample needs.
    """

    def __init__(self, num: int, magnitude: float, channels: int) -> None:
        self.num, self.magnitude = num, magnitude
        self.operations = operations(channels)
        self.num_draws = 2 * len(self.operations)

    def __call__(self, images: Tensor, u: Tensor) -> Tensor:
        """images: uint8 [B, C, H, W]; u: [B, num_draws] in [0, 1). Returns floats in 0 to 1."""
        order, draws = u.chunk(2, dim=1)
        chosen = order <= order.kthvalue(self.num, dim=1, keepdim=True).values
        where = dict(zip(self.operations, chosen.unbind(1), strict=True))
        strength = dict(zip(self.operations, (self.magnitude * draws).unbind(1), strict=True))
        signed = dict(zip(self.operations, (self.magnitude * (2 * draws - 1) * chosen).unbind(1), strict=True))

        tables = Tables(images)
        tables.equalise(where["equalise"])
        tables.autocontrast(where["autocontrast"])
        tables.brighten(where["brightness"], 1 + LARGEST_FACTOR * signed["brightness"])
        tables.contrast(where["contrast"], 1 + LARGEST_FACTOR * signed["contrast"])
        tables.posterise(where["posterise"], (DROPPED_BITS * strength["posterise"]).floor())
        tables.solarise(where["solarise"], LEVELS * (1 - strength["solarise"]))
        x = warp(tables.look_up(), _motion(signed))
        if "saturation" in signed:
            x = saturate(x, 1 + LARGEST_FACTOR * signed["saturation"])
        return sharpen_(x, 1 + LARGEST_FACTOR * signed["sharpness"])


def operations(channels: int) -> tuple[str, ...]:
    """The names of what may be drawn for images of so many channels."""
    return ("identity", *TABLES, *MOTIONS, "sharpness", *(["saturation"] if channels == 3 else []))


def _motion(signed: dict[str, Tensor]) -> Tensor:
    """Matrices [B, 2, 3] of rotation, shear and shift, from -1 to 1 of their ranges; 0 is none."""
    angle = LARGEST_ROTATION * signed["rotate"]
    cos, sin = angle.cos(), angle.sin()
    across, down = LARGEST_SHEAR * signed["shear_x"], LARGEST_SHEAR * signed["shear_y"]
    shift_x, shift_y = 2 * LARGEST_SHIFT * signed["translate_x"], 2 * LARGEST_SHIFT * signed["translate_y"]
    first = [cos - sin * down, cos * across - sin, shift_x]
    second = [sin + cos * down, sin * across + cos, shift_y]
    return torch.stack([*first, *second], dim=1).view(-1, 2, 3)
