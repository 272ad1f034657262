"""Teachers that know less than a method's own, and say something in its place: what a gain is held against."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from sdrun.errors import RunError
from sdrun.losses.distillation import hard
from sdrun.objectives.objective import Objective
from sdrun.randomness import Draws
from sdrun.ranks import OverRanks
from sdrun.settings import Control
from sdrun.streams.batch import Batch
from sdrun.trees import Tree, rows, tree_cat, tree_map

MOMENTUM = 0.99
"""Share of the running means of classes that stays at a step."""


class Surrogate(nn.Module, ABC):
    """Changes the targets of a step: what the teacher, or ``network`` in its place, says of the items of all ranks.

    Part of the objective, so that a checkpoint has what it remembers; ``network`` is kept out of it.
    """

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__()
        self._networks = [network] if network else []

    @property
    def network(self) -> nn.Module | None:
        return next(iter(self._networks), None)

    def see(self, targets: Sequence[Tree]) -> None:
        """Take note of all that was said at a step, before any of it is changed."""

    @abstractmethod
    def forward(self, targets: Tree, draws: Draws) -> Tree:
        """targets: [N, ...] each, logits [N, K] or a dictionary that has such as ``logits``, of all items of a step.

        ``draws``: for all of them.
        """


class Same(Surrogate):
    """What was said stays; an untrained ``network`` said it."""

    def forward(self, targets: Tree, draws: Draws) -> Tree:
        return targets


class Shuffled(Surrogate):
    """The targets of another sample: samples stand in a circle that is drawn anew at each step."""

    def forward(self, targets: Tree, draws: Draws) -> Tree:
        order = draws.uniform("control", 1)[:, 0].argsort()
        return _from(order, order.roll(1), targets)


class ShuffledInClass(Surrogate):
    """The targets of another sample of the same predicted class; one that is alone in its class keeps its own."""

    def forward(self, targets: Tree, draws: Draws) -> Tree:
        label = _logits(targets).argmax(dim=1).cpu()
        order = (label + draws.uniform("control", 1)[:, 0].double()).argsort()
        classes = label[order]
        is_last = torch.cat([classes[1:] != classes[:-1], torch.ones(1, dtype=torch.bool)])
        first = torch.searchsorted(classes, classes)
        following = torch.where(is_last, first, torch.arange(1, len(order) + 1))
        return _from(order, order[following], targets)


class Constant(Surrogate):
    """All classes alike, whatever the sample."""

    def forward(self, targets: Tensor, draws: Draws) -> Tensor:
        return torch.zeros_like(targets)


class Hard(Surrogate):
    """The predicted class alone."""

    def forward(self, targets: Tensor, draws: Draws) -> Tensor:
        return hard(targets)


class ClassMean(Surrogate):
    """The mean of the probabilities of samples of the same predicted class, over this step and, less and less, earlier
    ones. ``sums`` [K, K] and ``counts`` [K]: of the classes.
    """

    sums: Tensor
    counts: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(num_classes, num_classes))
        self.register_buffer("counts", torch.zeros(num_classes))

    def see(self, targets: Sequence[Tensor]) -> None:
        everything = torch.cat(list(targets))
        of_class = nn.functional.one_hot(everything.argmax(dim=1), len(self.counts)).to(self.sums.dtype)
        self.sums.mul_(MOMENTUM).add_(of_class.T @ everything.softmax(dim=1))
        self.counts.mul_(MOMENTUM).add_(of_class.sum(dim=0))

    def forward(self, targets: Tensor, draws: Draws) -> Tensor:
        means = self.sums / self.counts.clamp_min(1e-12)[:, None]
        return means.clamp_min(1e-30).log()[targets.argmax(dim=1)]


def surrogate(control: Control, num_classes: int, untrained: nn.Module | None) -> Surrogate:
    """The one of a control other than ``none``; ``untrained``: a network, for ``random``."""
    if control is Control.classmean:
        return ClassMean(num_classes)
    if control is Control.random:
        assert untrained is not None
        return Same(untrained.eval().requires_grad_(False))
    kinds: dict[Control, type[Surrogate]] = {
        Control.shuffled: Shuffled,
        Control.shuffled_in_class: ShuffledInClass,
        Control.constant: Constant,
        Control.hard: Hard,
    }
    return kinds[control]()


@torch.no_grad()
def controlled(objective: Objective, pieces: Sequence[Batch], gather: OverRanks) -> list[Batch]:
    """The parts of one rank's batch with the targets that the objective's surrogate gives for them.

    Samples are drawn from the whole batch of all ranks, so that it does not matter how that is parted. Raises RunError
    where the objective has no targets to be changed.
    """
    surrogate = objective.surrogate
    assert surrogate is not None
    with _unchanged(objective.student):
        targets = [objective.targets(piece, surrogate.network) for piece in pieces]
    if not targets[0]:
        raise RunError(
            f"control: {type(objective).__name__} does not say what is taught; give it targets(batch, network)"
        )
    whole = {name: tree_map(gather, tree_cat([of_piece[name] for of_piece in targets])) for name in targets[0]}
    surrogate.see(list(whole.values()))
    others: dict[str, Tree] = {}
    for name, told in whole.items():
        draws = _batch(pieces[0], name).draws
        others[name] = surrogate(told, replace(draws, rows=slice(0, draws.total)))
    return [_with_targets(piece, others) for piece in pieces]


@contextmanager
def _unchanged(network: nn.Module) -> Iterator[None]:
    """A further look at a step's items must not count in the statistics of BatchNorm."""
    kept = [buffer.clone() for buffer in network.buffers()]
    yield
    for buffer, value in zip(network.buffers(), kept, strict=True):
        buffer.copy_(value)


def _with_targets(piece: Batch, targets: dict[str, Tree]) -> Batch:
    own = {name: rows(tree, *_span(_batch(piece, name))) for name, tree in targets.items()}
    beside = {name: replace(batch, targets=own[name]) if name in own else batch for name, batch in piece.beside.items()}
    return replace(piece, targets=own.get(""), beside=beside)


def _batch(piece: Batch, name: str) -> Batch:
    return piece.beside[name] if name else piece


def _span(batch: Batch) -> tuple[int, int]:
    return batch.draws.rows.start, batch.draws.rows.stop


def _logits(targets: Tree) -> Tensor:
    return targets["logits"] if isinstance(targets, dict) else targets


def _from(places: Tensor, sources: Tensor, targets: Tree) -> Tree:
    """Each row at ``places`` [N] taken from ``sources`` [N]."""
    index = torch.empty_like(sources)
    index[places] = sources
    return tree_map(lambda values: values[index.to(values.device)], targets)
