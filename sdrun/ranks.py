"""What torchrun tells a process about itself, before there is a process group. Imports no torch."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

OverRanks = Callable[["Tensor"], "Tensor"]
"""A tensor of each rank to one of all: the mean, or the rows of all together."""


def rank() -> int:
    return int(os.environ.get("RANK", "0"))


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


def num_ranks() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def num_local_ranks() -> int:
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
