"""Multiply-adds, as torch counts them, and parameters."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sdrun.trees import Tree


class Counter:
    """Adds up the multiply-adds of convolutions and matrix products in the blocks ``with counter():``, if it is on.

    It changes none of their numbers.
    """

    def __init__(self, is_on: bool = True) -> None:
        self.is_on, self.total = is_on, 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if not self.is_on:
            yield
            return
        with FlopCounterMode(display=False, custom_mapping=ATTENTION) as counted:
            yield
        self.total += counted.get_total_flops() // 2


@dataclass(frozen=True)
class Size:
    """Parameters of a network, and multiply-adds of its forward pass of one item."""

    parameters: int
    multiply_adds: int


def size(network: nn.Module, one: Tree) -> Size:
    """``one``: an item [1, ...]."""
    cost = multiply_adds(network, one)  # first, for by it layers may come to know their inputs
    return Size(num_parameters(network), cost)


def num_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(call: Callable[[Tree], object], one: Tree) -> int:
    """Of a forward pass of one item [1, ...]."""
    counter = Counter()
    with counter(), torch.no_grad():
        call(one)
    return counter.total


def _attention(query: torch.Size, key: torch.Size, value: torch.Size, *_: Any, **__: Any) -> int:
    """Of both products of attention, two for each multiply-add: [B, heads, tokens, width] each."""
    return 2 * prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _attention_backward(gradient: torch.Size, *shapes: Any, **__: Any) -> int:
    return 2 * _attention(*shapes[:3])


ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}
"""The kernel of a CPU, which torch's table lacks. Backward, a product has two; what it computes again is left out."""
