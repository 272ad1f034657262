"""Vision transformer (2010.11929), norm first, with a class token and learned positions."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.models.backbone import Backbone, Features


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def _attend(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        query, key, value = self.qkv(x).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.project(mixed.transpose(1, 2).reshape(batch, tokens, width))


class ViT(Backbone):
    """Patches, ``depth`` blocks, and the normalised class token as final features.

    Taps ``block_1``, ``block_2`` ...: [B, 1 + patches, width], the class token first.
    """

    def __init__(
        self, channels: int, size: int, patch_size: int, width: int, depth: int, heads: int, mlp_ratio: float
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, width, patch_size, patch_size)
        self.class_token = nn.Embedding(1, width)
        self.positions = nn.Embedding(1 + (size // patch_size) ** 2, width)
        self.blocks = nn.ModuleList(_Block(width, heads, int(width * mlp_ratio)) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.num_features = width
        self.tap_features = {f"block_{i}": width for i in range(1, depth + 1)}
        for part in self.modules():
            if isinstance(part, nn.Linear | nn.Embedding):
                nn.init.trunc_normal_(part.weight, std=0.02)
            if isinstance(part, nn.Linear):
                nn.init.zeros_(part.bias)

    def forward(self, images: Tensor) -> Features:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        first = self.class_token.weight.to(tokens.dtype).expand(len(images), 1, -1)
        x = torch.cat([first, tokens], dim=1) + self.positions.weight
        taps = {}
        for name, block in zip(self.tap_features, self.blocks, strict=True):
            x = block(x)
            taps[name] = x
        return Features(self.norm(x[:, 0]), taps)
