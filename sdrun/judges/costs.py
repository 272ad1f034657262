"""What a network costs: parameters, multiply-adds, bytes, milliseconds."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from sdrun.counting import size
from sdrun.judges.parts import Parts
from sdrun.trees import Tree, leaves, rows

ROUNDS = 5

TIMED = {1: 100, 64: 256}
"""Items that are timed, by batch size."""


OF_TIME = {batch: f"test/milliseconds_batch_{batch}" for batch in TIMED}
OF_SIZE = ("model/parameters", "model/multiply_adds", "model/bytes")


def costs(network: Any, data: Parts, stored: Callable[[nn.Module], float] | None = None) -> dict[str, float]:
    """Of a module; the times are of the first test items. ``stored``: see ``Compression``."""
    assert isinstance(network, nn.Module)
    network.eval()
    of = size(network, data.first("test", 1))
    tensors = [*network.parameters(), *network.buffers()]
    num_bytes = stored(network) if stored else sum(values.numel() * values.element_size() for values in tensors)
    metrics = dict(zip(OF_SIZE, map(float, (of.parameters, of.multiply_adds, num_bytes)), strict=True))
    if stored:
        return metrics
    items = data.first("test", max(TIMED.values()))
    with data.autocast():
        times = {batch: milliseconds({"": network}, rows(items, 0, num), batch)[""] for batch, num in TIMED.items()}
    return metrics | {OF_TIME[batch]: value for batch, value in times.items()}


def milliseconds(networks: Mapping[str, Callable[[Tree], Any]], items: Tree, batch: int) -> dict[str, float]:
    """Wall time an item of each network in batches of ``batch``, in ms: medians of rounds that take turns.

    items: [N, ...], seen clean; a first round warms up and does not count.
    """
    num = len(next(leaves(items)))
    times: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(ROUNDS + 1):
        for name, network in networks.items():
            started = time.perf_counter()
            with torch.no_grad():
                for start in range(0, num, batch):
                    output = network(rows(items, start, start + batch))
            next(leaves(output)).cpu()  # waits for the device
            times[name].append(1000 * (time.perf_counter() - started) / num)
    return {name: statistics.median(of_rounds[1:]) for name, of_rounds in times.items()}
