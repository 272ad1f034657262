"""Several teachers as one network."""

from collections.abc import Sequence

from torch import Tensor, nn

from sdrun.answers.answers import Answers
from sdrun.trees import Tree, tree_map


class Together(nn.Module):
    """What ``networks`` say together, such as the mean of their probabilities."""

    def __init__(self, networks: Sequence[nn.Module], answers: Answers) -> None:
        super().__init__()
        self.networks, self.answers = nn.ModuleList(networks), answers

    def forward(self, items: Tree) -> Tree:
        return self.answers.together([tree_map(Tensor.float, network(items)) for network in self.networks])
