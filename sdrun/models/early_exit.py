"""A ladder from which each sample leaves as soon as an exit is sure enough."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sdrun.models.ladder import Ladder
from sdrun.settings import Confidence

ALWAYS = {Confidence.probability: 0.0, Confidence.entropy: -1000.0}
NEVER = {Confidence.probability: 2.0, Confidence.entropy: 1.0}
"""Thresholds that every sample reaches, and none; finite, so that JSON holds them."""


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
    """Images [B, C, H, W] to logits [B, K] over the temperature of the exit [B] at which each left, 0 the shallowest.

    After each exit only the samples that stay go on, so what is saved is time.
    """

    def __init__(self, ladder: Ladder, policy: ExitPolicy) -> None:
        super().__init__()
        self.ladder = ladder
        self.policy = policy

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        ladder, policy = self.ladder, self.policy
        x, tap = ladder.backbone.enter(images), 0
        rows = torch.arange(len(images), device=images.device)
        parts: list[tuple[Tensor, Tensor]] = []
        for exit, temperature, threshold in zip(ladder.rungs, policy.temperatures, policy.thresholds, strict=False):
            x, tap = self._advance(x, tap, exit.number + 1)
            logits = exit(x).float() / temperature
            leaves = confidence(logits, policy.confidence) >= threshold
            if leaves.all():
                return self._gathered([*parts, (rows, logits)])
            if leaves.any():
                parts.append((rows[leaves], logits[leaves]))
                x, rows = x[~leaves], rows[~leaves]
            else:
                parts.append((rows[:0], logits[:0]))
        x, _ = self._advance(x, tap, len(ladder.backbone.tap_features))
        logits = ladder.head(ladder.backbone.leave(x)).float() / policy.temperatures[-1]
        return self._gathered([*parts, (rows, logits)])

    def _advance(self, x: Tensor, tap: int, end: int) -> tuple[Tensor, int]:
        for number in range(tap, end):
            x = self.ladder.backbone.advance(x, number)
        return x, end

    @staticmethod
    def _gathered(parts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Logits and exits in the order of the images, from rows and logits by exit."""
        order = torch.cat([rows for rows, _ in parts]).argsort()
        exits = torch.cat([torch.full_like(rows, i) for i, (rows, _) in enumerate(parts)])
        return torch.cat([logits for _, logits in parts])[order], exits[order]


def confidence(logits: Tensor, kind: Confidence) -> Tensor:
    """How sure logits [..., K] are: the largest probability, or the entropy in nats, negated: [...]."""
    if kind is Confidence.probability:
        return logits.softmax(dim=-1).amax(dim=-1)
    return -torch.special.entr(logits.softmax(dim=-1)).sum(dim=-1)
