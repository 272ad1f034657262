"""A ladder from which each sample leaves as soon as an exit is sure enough."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sdrun.methods.layerwise.exits import Confidence
from sdrun.methods.layerwise.ladder import Ladder


@dataclass(frozen=True)
class ExitPolicy:
    """Who leaves where: a sample leaves at the first exit at which its confidence reaches the threshold.

    ``thresholds``: of the shallow exits; ``temperatures``: of all exits, by which logits are divided first.
    """

    confidence: Confidence
    thresholds: list[float]
    temperatures: list[float]

    def plain(self) -> dict[str, Any]:
        """For a JSON file."""
        return {**asdict(self), "confidence": self.confidence.value}


class EarlyExit(nn.Module):
    """Items to logits [B, K] over the temperature of the exit [B] at which each left, 0 the shallowest.

    After each exit only the samples that stay go on, so what is saved is time.
    """

    def __init__(self, ladder: Ladder, policy: ExitPolicy) -> None:
        super().__init__()
        self.ladder = ladder
        self.policy = policy

    def forward(self, items: Tensor) -> tuple[Tensor, Tensor]:
        ladder, policy = self.ladder, self.policy
        x, tap = ladder.backbone.enter(items), 0
        rows = torch.arange(len(items), device=items.device)
        parts: list[tuple[Tensor, Tensor, Tensor]] = []
        for place, exit in enumerate(ladder.rungs):
            x = self._advance(x, tap, exit.number + 1)
            tap = exit.number + 1
            logits = exit(x).float() / policy.temperatures[place]
            leaves = confidence(logits, policy.confidence) >= policy.thresholds[place]
            if leaves.any():
                parts.append((rows[leaves], logits[leaves], torch.full_like(rows[leaves], place)))
                x, rows = x[~leaves], rows[~leaves]
            if not len(rows):
                return self._in_order(parts)
        x = self._advance(x, tap, len(ladder.backbone.tap_features))
        logits = ladder.head(ladder.backbone.leave(x)).float() / policy.temperatures[-1]
        return self._in_order([*parts, (rows, logits, torch.full_like(rows, len(ladder.rungs)))])

    def _advance(self, x: Tensor, tap: int, end: int) -> Tensor:
        """From before the tap of number ``tap`` to before that of ``end``."""
        for number in range(tap, end):
            x = self.ladder.backbone.advance(x, number)
        return x

    @staticmethod
    def _in_order(parts: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Logits and exits in the order of the items, from rows, logits and exits of those that left together."""
        if len(parts) == 1:
            return parts[0][1:]
        rows, logits, exits = (torch.cat(column) for column in zip(*parts, strict=True))
        order = rows.argsort()
        return logits[order], exits[order]


def confidence(logits: Tensor, kind: Confidence) -> Tensor:
    """How sure logits [..., K] are: the largest probability, or the entropy in nats, negated: [...]."""
    if kind is Confidence.probability:
        return logits.softmax(dim=-1).amax(dim=-1)
    return -torch.special.entr(logits.softmax(dim=-1)).sum(dim=-1)
