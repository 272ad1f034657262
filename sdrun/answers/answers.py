"""What every kind of answer can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from sdrun.data.source import Fields
from sdrun.trees import Tree


class Answers(ABC):
    """A kind of answers that networks give, trees of tensors [B, ...] in float32; each subclass is final.

    ``term`` is what its distance to the truth is called where a loss is logged.
    """

    term: ClassVar[str]

    @abstractmethod
    def truth(self, answer: Tree, known: Fields, smoothing: float = 0.0) -> Tensor:
        """Mean distance over the batch to what is known of its items, a scalar.

        ``smoothing``: share of the truth that is spread evenly over all that could have been said.
        """

    @abstractmethod
    def distance(self, student: Tree, teacher: Tree, temperature: float = 1.0) -> Tensor:
        """Distance [B] of a student's answers to a teacher's, which get no gradient."""

    @abstractmethod
    def together(self, answers: Sequence[Tree]) -> Tree:
        """What several networks say as one."""

    @abstractmethod
    def agree(self, one: Tree, other: Tree) -> Tensor:
        """Whether two answers say the same of an item: bool [B]."""

    @abstractmethod
    def head(self, num_features: int) -> nn.Module:
        """From features [B, num_features] to an answer."""
