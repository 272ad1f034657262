"""A transformer block, norm first, as several families have it."""

from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Attention and a perceptron on tokens [B, T, width] (2010.11929, with the norms before)."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """``seen``: bool [B, 1, 1, T], the tokens that others look at; by default all."""
        x = x + self._attend(self.norm1(x), seen)
        return x + self.mlp(self.norm2(x))

    def class_attention(self, x: Tensor) -> Tensor:
        """How the first token weighs the others: [B, heads, T - 1], summing to at most 1."""
        query, key, _ = self._heads(self.norm1(x))
        weight = (query[:, :, :1] @ key.mT / query.shape[-1] ** 0.5).softmax(dim=-1)
        return weight[:, :, 0, 1:]

    def _attend(self, x: Tensor, seen: Tensor | None) -> Tensor:
        mixed = F.scaled_dot_product_attention(*self._heads(x), attn_mask=seen)
        return self.project(mixed.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each [B, heads, T, width // heads]."""
        query, key, value = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return query, key, value


def initialise_transformer(module: nn.Module) -> None:
    """Small normal weights, cut at two deviations, and no biases, of linear layers and embeddings."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.trunc_normal_(part.weight, std=0.02)
        if isinstance(part, nn.Linear):
            nn.init.zeros_(part.bias)
