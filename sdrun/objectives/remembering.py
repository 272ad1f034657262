"""An objective that remembers what was said of each training item."""

import torch
from torch import Tensor

from sdrun.objectives.objective import Objective
from sdrun.ranks import OverRanks


class Remembering(Objective):
    """``memory`` [N, K]: of each training item. After a step, rows of items that it noted move by ``share`` towards the
    answer, of an item that came several times towards the mean of them.

    ``gather``: the rows of a tensor of all ranks, which remember the same.
    """

    memory: Tensor

    def __init__(self, memory: Tensor, share: float, gather: OverRanks) -> None:
        super().__init__()
        self.register_buffer("memory", memory)
        self.share, self.gather = share, gather
        self._noted: list[tuple[Tensor, Tensor]] = []

    def note(self, index: Tensor, answer: Tensor) -> None:
        """Keep in mind until the step's end: answers [B, K] to the items at ``index`` [B]."""
        self._noted.append((index, answer))

    def after_step(self, step: int) -> None:
        index, answer = (self.gather(torch.cat(parts)) for parts in zip(*self._noted, strict=True))
        self._noted = []
        times = self.memory.new_zeros(len(self.memory)).index_add_(0, index, torch.ones_like(answer[:, 0]))
        self.memory[index] = (1 - self.share) * self.memory[index]
        self.memory.index_add_(0, index, self.share * answer / times[index, None])
