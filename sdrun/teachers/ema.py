"""The teacher that follows: an average of its student's past weights."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from sdrun.trees import Tree


class EMA(nn.Module):
    """Exponential moving average of a student (1703.01780): ``theta_t <- m theta_t + (1 - m) theta_s`` at each step.

    ``network`` starts as a copy of the student, and shares no storage with it. It stays in eval mode, whatever its
    objective is switched to, and without gradients. Floating-point buffers, such as the statistics of BatchNorm, are
    averaged as weights are, so that they suit them; other buffers are copied. Part of the objective, so that a
    checkpoint has it.
    """

    network: Any

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.network = deepcopy(student).eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "EMA":
        """Nothing: the mode of an objective is none of its teacher's business."""
        return self

    @torch.no_grad()
    def forward(self, view: Tree) -> Tree:
        return self.network(view)

    @torch.no_grad()
    def follow(self, student: nn.Module, momentum: float) -> None:
        """Take one step towards the student's weights. Raises RuntimeError where the two share storage."""
        own, others = _tensors(self.network), _tensors(student)
        if any(a.data_ptr() == b.data_ptr() for a, b in zip(own, others, strict=True)):
            raise RuntimeError("the teacher shares storage with its student, and would be trained with it")
        floats = [(a, b) for a, b in zip(own, others, strict=True) if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 1 - momentum)
        for a, b in zip(own, others, strict=True):
            if not a.is_floating_point():
                a.copy_(b)


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
