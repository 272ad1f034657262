"""A perceptron on the mean of the embeddings of hashed n-grams, as fastText has them (1607.01759)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.models.backbone import Backbone, Taps
from sdrun.models.bag.settings import BagSettings
from sdrun.settings import Item

MULTIPLIERS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)
"""Odd numbers of 32 bits by which the words of an n-gram are told apart; a longer n-gram takes them in turns."""

SMALL = 0.05
"""Standard deviation of embeddings at the start: of larger ones the network learns little but their norm."""


class Bag(Backbone):
    """Taps ``layer_1``, ``layer_2`` ...: [B, width]."""

    taps_are = Taps.vectors

    def __init__(self, ngrams: int, buckets: int, width: int, depth: int) -> None:
        super().__init__()
        self.ngrams, self.buckets = ngrams, buckets
        self.embedding = nn.Embedding(buckets, width, padding_idx=0)
        nn.init.normal_(self.embedding.weight[1:], std=SMALL)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(depth))
        self.num_features = width
        self.tap_features = {f"layer_{i}": width for i in range(1, depth + 1)}

    def enter(self, items: Tensor) -> Tensor:
        mean = F.embedding_bag(
            hashed(items, self.ngrams, self.buckets), self.embedding.weight, mode="mean", padding_idx=0
        )
        return self.norm(mean)

    def advance(self, x: Tensor, number: int) -> Tensor:
        return self.layers[number](x)

    def leave(self, x: Tensor) -> Tensor:
        return x


def hashed(words: Tensor, ngrams: int, buckets: int) -> Tensor:
    """The bucket of each n-gram of words [B, L] of up to ``ngrams`` words, [B, L * ngrams]; 0 where there is none."""
    words = words.long()
    mixed, parts = words, []
    for n in range(min(ngrams, words.shape[1])):
        # an n-gram is there where its last word is, for texts have no gaps
        last = words[:, n:]
        before = mixed[:, : last.shape[1]] * 31 if n else 0
        mixed = (before + last * MULTIPLIERS[n % len(MULTIPLIERS)]) & 0x7FFFFFFFFFFF
        bucket = (mixed ^ (mixed >> 21)) % (buckets - 1) + 1
        parts.append(bucket * (last != 0))
    return torch.cat(parts, dim=1)


def build(settings: BagSettings, item: Item) -> Bag:
    return Bag(settings.ngrams, settings.buckets, settings.width, settings.depth)
