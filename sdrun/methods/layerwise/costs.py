"""What the exits of a ladder cost: multiply-adds, parameters, milliseconds."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sdrun.counting import multiply_adds
from sdrun.methods.layerwise.early_exit import EarlyExit, ExitPolicy
from sdrun.methods.layerwise.exits import ALWAYS, NEVER, Confidence
from sdrun.methods.layerwise.ladder import Ladder

ROUNDS = 5


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


def milliseconds(networks: Mapping[str, Callable[[Tensor], Any]], items: Tensor, batch: int) -> dict[str, float]:
    """Wall time an item of each network in batches of ``batch``, in ms: medians of rounds that take turns.

    items: [N, ...], seen clean; a first round warms up and does not count.
    """
    times: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(ROUNDS + 1):
        for name, network in networks.items():
            started = time.perf_counter()
            with torch.no_grad():
                for part in items.split(batch):
                    output = network(part)
            (output[0] if isinstance(output, tuple) else output).cpu()  # waits for the device
            times[name].append(1000 * (time.perf_counter() - started) / len(items))
    return {name: statistics.median(of_rounds[1:]) for name, of_rounds in times.items()}
