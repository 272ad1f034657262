"""What keeps a teacher's network from being trained."""

from torch import nn


class Still(nn.Module):
    """A network in eval mode without gradients, for good: to train it raises RuntimeError.

    The refusal is this module's own, so copies and pickles of it refuse as well; who trains the bare network past it is
    not kept from that.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "Still":
        if mode:
            raise RuntimeError("a teacher stays in eval mode; train its student instead")
        super().train(False)
        return self

    def forward(self, *arguments: object) -> object:
        return self.network(*arguments)
