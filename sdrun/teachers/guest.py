"""A network of another run, as a teacher of this one."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from sdrun.trees import Tree


@dataclass(frozen=True)
class Guest:
    """``network`` takes items as this run's views show them; it is that of a ``stage`` of another ``run``."""

    network: nn.Module
    stage: str
    sha256: str
    run: str


class Translated(nn.Module):
    """A network that is asked in its own words: ``told`` is what a view shows, ``heard`` how the network takes that."""

    def __init__(self, network: nn.Module, told: Callable[[Tree], Tree], heard: Callable[[Tree], Tree]) -> None:
        super().__init__()
        self.network, self.told, self.heard = network, told, heard

    def forward(self, view: Tree) -> Tree:
        return self.network(self.heard(self.told(view)))
