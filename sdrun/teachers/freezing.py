"""What keeps a teacher's network from being trained."""

from torch import nn


def freeze(network: nn.Module) -> nn.Module:
    """Put a network in eval mode without gradients; from here on ``network.train()`` raises RuntimeError."""

    def train(mode: bool = True) -> nn.Module:
        if mode:
            raise RuntimeError("a teacher stays in eval mode; train its student instead")
        return network

    network.eval().requires_grad_(False)
    network.train = train  # type: ignore[method-assign]
    return network
