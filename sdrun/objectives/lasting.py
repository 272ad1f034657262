"""What was seen at logged points in a row."""

import torch
from torch import Tensor, nn


class Lasting(nn.Module):
    """Counts, for each of ``num`` signs, the points in a row at which it held.

    Part of an objective, so that a checkpoint has the counts: a resumed run warns and ends where one does that was left
    alone.
    """

    lasted: Tensor

    def __init__(self, num: int) -> None:
        super().__init__()
        self.register_buffer("lasted", torch.zeros(num, dtype=torch.long))

    def forward(self, place: int, holds: bool, patience: int) -> bool:
        """Note whether the sign at ``place`` holds now. True at the point at which it has held ``patience`` times."""
        lasted = int(self.lasted[place]) + 1 if holds else 0
        self.lasted[place] = lasted
        return lasted == patience
