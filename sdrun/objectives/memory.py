"""What was last said of each training item, as a table that every step brings up to date."""

import torch
from torch import Tensor


def remember(memory: Tensor, index: Tensor, said: Tensor, share: float = 1.0) -> None:
    """Move the rows of ``memory`` [N, K] at ``index`` [B] towards ``said`` [B, K] by ``share``, in place.

    Of an item that came several times, towards the mean of what was said.
    """
    times = memory.new_zeros(len(memory)).index_add_(0, index, torch.ones_like(said[:, 0]))
    memory[index] = (1 - share) * memory[index]
    memory.index_add_(0, index, share * said / times[index, None])
