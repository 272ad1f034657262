"""A backbone with exits on the way: each a classifier that needs only the part of the network below it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sdrun.answers.categorical import mean_probability
from sdrun.models.backbone import Backbone, Taps, initialise
from sdrun.trees import Tree


class Exits(NamedTuple):
    """What all exits give, shallow to deep: ``features`` [B, exits, num_features] and ``logits`` [B, exits, K]."""

    features: Tensor
    logits: Tensor


class _Maps(nn.Sequential):
    """A strided convolution for each stage that an exit skips, and the mean: [B, C, h, w] to [B, num_features]."""

    def __init__(self, widths: Sequence[int]) -> None:
        parts: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            convolution = nn.Conv2d(inputs, outputs, 3, 2, padding=1, bias=False)
            parts += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
        super().__init__(*parts)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).mean(dim=(2, 3))


class _Vectors(nn.Module):
    """Norm and one hidden layer on a vector, or on the first of several: [B, width] or [B, T, width] to
    [B, num_features].
    """

    def __init__(self, width: int, num_features: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, num_features))

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(self.norm(x[:, 0] if x.ndim == 3 else x))


class Exit(nn.Module):
    """A small bottleneck that brings a tap to the shape of the final features (1905.08094), and a linear classifier.

    ``number``: of the tap.
    """

    def __init__(self, backbone: Backbone, number: int, num_classes: int) -> None:
        super().__init__()
        widths = list(backbone.tap_features.values())[number:]
        self.number = number
        is_map = backbone.taps_are is Taps.maps
        self.bottleneck = _Maps(widths) if is_map else _Vectors(widths[0], backbone.num_features)
        self.head = nn.Linear(backbone.num_features, num_classes)
        initialise(self.bottleneck)

    def forward(self, x: Tensor) -> Tensor:
        """The tap to logits [B, K]."""
        return self.head(self.bottleneck(x))


class Ladder(nn.Module):
    """A backbone with shallow exits at some taps, and a linear classifier at its end as the deepest exit.

    ``taps``: of the shallow exits, by name, shallow to deep. ``num_detached``: how many of them, from the shallowest
    on, send no gradient into the backbone.
    """

    def __init__(self, backbone: Backbone, taps: Sequence[str], num_classes: int, num_detached: int = 0) -> None:
        super().__init__()
        names = list(backbone.tap_features)
        self.backbone = backbone
        self.head = nn.Linear(backbone.num_features, num_classes)  # before the exits: it starts as a plain classifier's
        self.shallow = nn.ModuleList(Exit(backbone, names.index(tap), num_classes) for tap in taps)
        self.num_detached = num_detached

    def forward(self, items: Tree) -> dict[str, Tensor]:
        """Logits [B, K] by word: of the deepest exit without one, of ``exit_1`` ..., and of their ``ensemble``."""
        *shallow, deepest = logits = self.exits(items).logits.float().unbind(dim=1)
        by_word = {f"exit_{i}": z for i, z in enumerate(shallow, start=1)}
        return {"": deepest, **by_word, "ensemble": mean_probability(logits)}

    def exits(self, items: Tree) -> Exits:
        """What all exits give, in one forward."""
        final, taps = self.backbone(items)
        seen = list(taps.values())
        parts, heads = [], []
        for place, exit in enumerate(self.rungs):
            x = seen[exit.number]
            parts.append(exit.bottleneck(x.detach() if place < self.num_detached else x))
            heads.append(exit.head)
        features = torch.stack([*parts, final], dim=1)
        logits = [head(features[:, i]) for i, head in enumerate([*heads, self.head])]
        return Exits(features, torch.stack(logits, dim=1))

    @property
    def rungs(self) -> list[Exit]:
        """The shallow exits, shallow to deep."""
        return list(self.shallow)  # type: ignore[arg-type]

    def deepest(self, items: Tree) -> Tensor:
        """Logits [B, K] of the deepest exit; the shallow ones cost nothing. Not compiled, as no early exit is."""
        return self.head(self.backbone.forward(items).final)

    def compile(self, *arguments: Any, **options: Any) -> None:
        """Compile what trains, part by part."""
        for part in (self.backbone, *(exit.bottleneck for exit in self.rungs)):
            part.compile(*arguments, **options)
