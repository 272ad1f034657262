"""What the loop knows of a method: an objective."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

import torch
from torch import Tensor, nn

from sdrun.streams.batch import Batch
from sdrun.trees import Tree, leaves

if TYPE_CHECKING:
    from sdrun.objectives.surrogates import Surrogate


@dataclass
class StepOutput:
    """One step's computation.

    ``terms``: the weighted scalar parts of the loss by name; ``answer``: what they all depend on, [B, ...] each, where
    the share of each in the gradient is measured; ``targets``: what a teacher said for this step, which no gradient
    reaches, or None where there is no teacher; ``metrics``: further scalars to log.
    """

    terms: dict[str, Tensor]
    answer: Tree
    targets: Tree = None
    metrics: dict[str, Tensor] = field(default_factory=dict)

    @property
    def loss(self) -> Tensor:
        return torch.stack(list(self.terms.values())).sum()

    def gradient_shares(self) -> dict[str, Tensor]:
        """Norm of each term's gradient at the answer, over the sum of all norms. A dead term shows as 0."""
        norms = {name: self._norm(term) for name, term in self.terms.items()}
        total = torch.stack(list(norms.values())).sum().clamp_min(1e-30)
        return {name: norm / total for name, norm in norms.items()}

    def _norm(self, term: Tensor) -> Tensor:
        at = list(leaves(self.answer))
        gradients = torch.autograd.grad(term, at, retain_graph=True, allow_unused=len(at) > 1)
        norms = [gradient.norm() for gradient in gradients if gradient is not None]
        return norms[0] if len(norms) == 1 else torch.stack([*norms, term.new_zeros(())]).norm()


class Objective(nn.Module, ABC):
    """All that is trained in a stage, and all that its checkpoint holds: frozen teachers are kept out.

    ``student`` is what the optimiser trains. ``teachers`` says where the targets of an earlier stage come from, one
    entry ``{"stage": name, "sha256": hash of its weights}`` a network. ``surrogate``: who speaks in the teacher's place
    under a control; its word then comes as ``Batch.targets``.
    """

    student: nn.Module
    teachers: list[dict[str, str]]
    surrogate: Optional["Surrogate"]

    def __init__(self) -> None:
        super().__init__()
        self.surrogate = None

    @abstractmethod
    def forward(self, batch: Batch) -> StepOutput: ...

    def targets(self, batch: Batch, network: nn.Module | None = None) -> dict[str, Tree]:
        """What the teacher, or ``network`` in its place, says of a batch: [B, ...] each, such as logits [B, K].

        By the name of those beside it that it is asked about, the batch's own being the empty one; nothing of a method
        that takes no control. No gradient reaches them.
        """
        return {}

    @property
    def is_taught(self) -> bool:
        """Whether there is a teacher at all."""
        return True

    @property
    def networks(self) -> dict[str, nn.Module]:
        """What is evaluated, by the word that its metrics carry; the first, without a word, is what the stage gives."""
        return {"": self.student}

    def before_step(self, step: int) -> None:
        """What the optimiser's step number ``step``, the first being 1, should find: gradients are there."""

    def after_step(self, step: int) -> None:
        """What follows the optimiser's step number ``step``, such as an EMA teacher."""

    def watch(self, step: int, values: dict[str, float]) -> None:
        """Look at what was logged; warn of what the objective knows to be wrong, or raise RunError."""
