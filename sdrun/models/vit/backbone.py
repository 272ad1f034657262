"""Vision transformer (2010.11929), norm first, with a class token and learned positions."""

from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.models.backbone import Attentive
from sdrun.models.block import Block, initialise_transformer
from sdrun.models.vit.settings import ViTSettings
from sdrun.settings import Item


class ViT(Attentive):
    """Patches, ``depth`` blocks, and the normalised class token as final features.

    Images of another size than ``size``, such as local crops, get positions that are interpolated. Taps ``block_1``,
    ``block_2`` ...: [B, 1 + patches, width], the class token first.
    """

    def __init__(
        self, channels: int, size: int, patch_size: int, width: int, depth: int, heads: int, mlp_ratio: float
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, width, patch_size, patch_size)
        self.class_token = nn.Embedding(1, width)
        self.positions = nn.Embedding(1 + (size // patch_size) ** 2, width)
        self.blocks = nn.ModuleList(Block(width, heads, int(width * mlp_ratio)) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.num_features = width
        self.tap_features = {f"block_{i}": width for i in range(1, depth + 1)}
        initialise_transformer(self)

    def enter(self, images: Tensor) -> Tensor:
        patches = self.patches(images)
        first = self.class_token.weight.to(patches.dtype).expand(len(images), 1, -1)
        return torch.cat([first, patches.flatten(2).mT], dim=1) + self._positions(patches.shape[2:])

    def advance(self, x: Tensor, number: int) -> Tensor:
        return self.blocks[number](x)

    def leave(self, x: Tensor) -> Tensor:
        return self.norm(x[:, 0])

    def attention(self, images: Tensor) -> Tensor:
        """Where the class token looks in the last block: [B, heads, rows, columns] of patches."""
        x = self.enter(images)
        for block in self.blocks[:-1]:
            x = block(x)
        rows = images.shape[2] // self.patches.stride[0]
        last = self.blocks[-1]
        assert isinstance(last, Block)
        return last.class_attention(x).unflatten(2, (rows, -1))

    def _positions(self, grid: torch.Size) -> Tensor:
        """Positions of the class token and of a grid of patches: [1 + rows * columns, width]."""
        own = self.positions.weight
        side = isqrt(len(own) - 1)
        if tuple(grid) == (side, side):
            return own
        square = own[1:].unflatten(0, (side, side)).permute(2, 0, 1)[None]
        resized = F.interpolate(square, size=list(grid), mode="bicubic", antialias=True)
        return torch.cat([own[:1], resized[0].flatten(1).T])


def build(settings: ViTSettings, item: Item) -> ViT:
    channels, size, _ = item.shape
    s = settings
    return ViT(channels, size, s.patch_size, s.width, s.depth, s.heads, s.mlp_ratio)
