"""What the exits of a ladder cost: multiply-adds and parameters."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sdrun.counting import multiply_adds
from sdrun.methods.layerwise.early_exit import EarlyExit, ExitPolicy
from sdrun.methods.layerwise.exits import ALWAYS, NEVER, Confidence
from sdrun.methods.layerwise.ladder import Ladder


@dataclass(frozen=True)
class ExitCosts:
    """``full``: multiply-adds of the network without shallow exits. Of each exit, shallow to deep: ``multiply_adds`` of
    a sample that leaves there, for which the exits before it were computed too; ``parameters`` that its logits need.
    """

    full: int
    multiply_adds: list[int]
    parameters: list[int]


def exit_costs(ladder: Ladder, item: Tensor) -> ExitCosts:
    """Measured by letting an item [1, ...] leave at each exit."""
    num, kind = len(ladder.rungs), Confidence.probability
    costs, sizes = [], []
    for place in range(num + 1):
        thresholds = [NEVER[kind]] * place + [ALWAYS[kind]] * (num - place)
        leaving = EarlyExit(ladder, ExitPolicy(kind, thresholds, [1.0] * (num + 1)))
        costs.append(multiply_adds(leaving, item))
        sizes.append(num_parameters(leaving, item))
    return ExitCosts(multiply_adds(ladder.deepest, item), costs, sizes)


def num_parameters(network: EarlyExit, item: Tensor) -> int:
    """Numbers in those parameters that the logits of an item [1, ...] depend on."""
    parameters = list(network.parameters())
    with torch.enable_grad():
        gradients = torch.autograd.grad(network(item)[0].sum(), parameters, allow_unused=True)
    return sum(p.numel() for p, gradient in zip(parameters, gradients, strict=True) if gradient is not None)
