"""What a network costs: multiply-adds, parameters, milliseconds."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from sdrun.models.early_exit import EarlyExit, ExitPolicy
from sdrun.models.ladder import Ladder
from sdrun.objectives.objective import Objective
from sdrun.settings import ALWAYS, NEVER, Confidence
from sdrun.streams.batch import Batch

ROUNDS = 5


@contextmanager
def _counted() -> Iterator[FlopCounterMode]:
    """Counts the floating-point operations of convolutions and matrix products, two for each multiply-add."""
    kernel = sdpa_kernel(SDPBackend.MATH)  # that of a CPU is not in torch's table
    with FlopCounterMode(display=False) as counter, kernel:
        yield counter


def multiply_adds(call: Callable[[Tensor], Any], image: Tensor) -> int:
    """Of the convolutions and matrix products for one image [1, C, H, W], as torch counts them."""
    with _counted() as counter, torch.no_grad():
        call(image)
    return counter.get_total_flops() // 2


def step_multiply_adds(objective: Objective, batch: Batch, autocast: Callable[[], AbstractContextManager]) -> int:
    """The same of one training step: every forward that the objective makes, teachers' included, and the backward.

    Views are not counted. The objective has its state again afterwards, and no gradients.
    """
    kept = {name: tensor.clone() for name, tensor in objective.state_dict().items()}
    objective.train()
    with _counted() as counter:
        with autocast():
            loss = objective(batch).loss
        loss.backward()
    objective.after_step(batch.step + 1)  # takes what the forward noted for it
    objective.zero_grad(set_to_none=True)
    objective.load_state_dict(kept)
    return counter.get_total_flops() // 2


@dataclass(frozen=True)
class ExitCosts:
    """``full``: multiply-adds of the network without shallow exits. Of each exit, shallow to deep: ``multiply_adds`` of
    a sample that leaves there, for which the exits before it were computed too; ``parameters`` that its logits need.
    """

    full: int
    multiply_adds: list[int]
    parameters: list[int]


def exit_costs(ladder: Ladder, image: Tensor) -> ExitCosts:
    """Measured by letting an image [1, C, H, W] leave at each exit."""
    num, kind = len(ladder.rungs), Confidence.probability
    costs, sizes = [], []
    for place in range(num + 1):
        thresholds = [NEVER[kind]] * place + [ALWAYS[kind]] * (num - place)
        leaving = EarlyExit(ladder, ExitPolicy(kind, thresholds, [1.0] * (num + 1)))
        costs.append(multiply_adds(leaving, image))
        sizes.append(num_parameters(leaving, image))
    return ExitCosts(multiply_adds(ladder.deepest, image), costs, sizes)


def num_parameters(network: EarlyExit, image: Tensor) -> int:
    """Numbers in those parameters that the logits of an image [1, C, H, W] depend on."""
    parameters = list(network.parameters())
    with torch.enable_grad():
        gradients = torch.autograd.grad(network(image)[0].sum(), parameters, allow_unused=True)
    return sum(p.numel() for p, gradient in zip(parameters, gradients, strict=True) if gradient is not None)


def milliseconds(networks: Mapping[str, Callable[[Tensor], Any]], images: Tensor, batch: int) -> dict[str, float]:
    """Wall time an image of each network in batches of ``batch``, in ms: medians of rounds that take turns.

    images: [N, C, H, W], normalised; a first round warms up and does not count.
    """
    times: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(ROUNDS + 1):
        for name, network in networks.items():
            started = time.perf_counter()
            with torch.no_grad():
                for part in images.split(batch):
                    output = network(part)
            (output[0] if isinstance(output, tuple) else output).cpu()  # waits for the device
            times[name].append(1000 * (time.perf_counter() - started) / len(images))
    return {name: statistics.median(found[1:]) for name, found in times.items()}
