"""A transformer encoder (1706.03762), norm first, with a class token and learned positions."""

import torch
from torch import Tensor, nn

from sdrun.models.backbone import Backbone, Taps
from sdrun.models.block import Block, initialise_transformer
from sdrun.models.transformer.settings import TransformerSettings
from sdrun.settings import Item


class Transformer(Backbone):
    """Pieces [B, L], ``depth`` blocks, and the normalised class token as final features.

    Taps ``block_1``, ``block_2`` ...: [B, 1 + L, width], the class token first. Where a text has no more pieces there
    are zeros, in every tap: by that a block knows what not to look at.
    """

    taps_are = Taps.tokens

    def __init__(self, length: int, vocabulary: int, width: int, depth: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.class_token = nn.Embedding(1, width)
        self.pieces = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads, int(width * mlp_ratio)) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.num_features = width
        self.tap_features = {f"block_{i}": width for i in range(1, depth + 1)}
        initialise_transformer(self)

    def enter(self, items: Tensor) -> Tensor:
        text = self.pieces(items) + self.positions.weight[: items.shape[1]]
        first = self.class_token.weight.to(text.dtype).expand(len(items), 1, -1)
        return torch.cat([first, text * (items != 0)[:, :, None]], dim=1)

    def advance(self, x: Tensor, number: int) -> Tensor:
        is_there = (x != 0).any(dim=2)
        return self.blocks[number](x, is_there[:, None, None]) * is_there[:, :, None]

    def leave(self, x: Tensor) -> Tensor:
        return self.norm(x[:, 0])


def build(settings: TransformerSettings, item: Item) -> Transformer:
    (length,), s = item.shape, settings
    return Transformer(length, s.vocabulary, s.width, s.depth, s.heads, s.mlp_ratio)
