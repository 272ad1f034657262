"""Weights and activations that take few values, with gradients as if they took any."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sdrun.errors import require

LAYERS = (nn.Conv2d, nn.Linear)
SHARES = torch.linspace(0.3, 1.0, 71)
"""Of a channel's largest weight, the ranges that are tried."""

LEAST = 1e-12
"""A scale that a channel of zeros is divided by."""

MOMENTUM = 0.99
"""Share of an activation's range that stays at a step."""


class Rounded(nn.Module):
    """A weight [out, ...] of which each channel takes ``2**bits`` values, evenly spaced and 0 among them.

    ``share`` [out]: of its largest weight, where the range of a channel ends; what is beyond is clipped. The gradient
    passes where nothing is (1308.3432).
    """

    share: Tensor

    def __init__(self, bits: int, num_channels: int) -> None:
        super().__init__()
        self.bits = bits
        self.low, self.high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        self.register_buffer("share", torch.ones(num_channels))

    def forward(self, weight: Tensor) -> Tensor:
        return self._rounded(weight, self.share)

    @torch.no_grad()
    def tune(self, weight: Tensor) -> None:
        """Choose the range of each channel by the squared error of the weight."""
        shares = SHARES.to(weight.device)
        tried = [self._rounded(weight, share.expand(len(weight))) for share in shares]
        errors = torch.stack([(rounded - weight).square().flatten(1).sum(dim=1) for rounded in tried])
        self.share.copy_(shares[errors.argmin(dim=0)])

    def _rounded(self, weight: Tensor, share: Tensor) -> Tensor:
        largest = weight.detach().abs().flatten(1).amax(dim=1)
        scale = (share * largest / ((self.high - self.low) / 2)).clamp_min(LEAST)
        zeros = torch.zeros_like(scale, dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weight, scale, zeros, 0, self.low, self.high)


class RoundedInputs(nn.Module):
    """What goes into a layer, in ``2**bits`` values from the smallest to the largest that was seen.

    ``ends`` [2]: a running mean of both over the steps of training, at first those of the first batch.
    """

    ends: Tensor

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.most = 2**bits - 1
        self.register_buffer("ends", torch.zeros(2))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.see(x)
        scale = ((self.ends[1] - self.ends[0]) / self.most).clamp_min(LEAST)
        zero = (-self.ends[0] / scale).round().clamp(0, self.most).int()
        return torch.fake_quantize_per_tensor_affine(x.float(), scale, zero, 0, self.most)

    @torch.no_grad()
    def see(self, x: Tensor) -> None:
        """Let the range follow a batch."""
        low, high = x.float().aminmax()
        own = torch.stack([low.clamp_max(0), high.clamp_min(0)])
        is_first = (self.ends == 0).all()
        self.ends.copy_(torch.where(is_first, own, MOMENTUM * self.ends + (1 - MOMENTUM) * own))


class Coarse(nn.Module):
    """A convolution or linear layer whose weight is rounded, and what goes into it where ``activation_bits`` say so."""

    layer: Any

    def __init__(self, layer: nn.Module, bits: int, activation_bits: int | None) -> None:
        super().__init__()
        self.layer = layer
        self.rounded = Rounded(bits, len(self.layer.weight)).to(self.layer.weight.device)
        self.rounded.tune(self.layer.weight)
        self.inputs = RoundedInputs(activation_bits).to(self.layer.weight.device) if activation_bits else None

    @property
    def weight(self) -> Tensor:
        """As it is used."""
        return self.rounded(self.layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.inputs(x) if self.inputs else x
        output: Tensor = functional_call(self.layer, {"weight": self.weight}, (seen,))
        return output


def quantised(network: nn.Module, bits: int, ends: int, activation_bits: int | None) -> nn.Module:
    """The network itself, whose layers have ``bits``, the first and the last of them ``ends``."""
    every = [name for name, part in network.named_modules() if isinstance(part, LAYERS)]
    require(bool(every), "method", "the network has no convolution and no linear layer")
    for place, name in enumerate(every):
        parent, _, own = name.rpartition(".")
        is_end = place in (0, len(every) - 1)
        of_inputs = activation_bits if place else None  # what the first takes are the items
        layer = Coarse(network.get_submodule(name), ends if is_end else bits, of_inputs)
        network.get_submodule(parent).add_module(own, layer)
    return network


def packed_bytes(network: nn.Module) -> float:
    """What the network takes where each weight has its bits and each channel a scale of 4 bytes."""
    coarse = [part for part in network.modules() if isinstance(part, Coarse)]
    aside = {id(values) for part in coarse for values in (part.layer.weight, part.rounded.share)}
    others = [values for values in (*network.parameters(), *network.buffers()) if id(values) not in aside]
    packed = sum(part.layer.weight.numel() * part.rounded.bits / 8 + 4 * len(part.layer.weight) for part in coarse)
    return float(packed + sum(values.numel() * values.element_size() for values in others))
