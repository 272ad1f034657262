"""The head of prototypes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PrototypeHead(nn.Module):
    """DINO's head (2104.14294): three layers to a bottleneck, and its cosine with ``out_dim`` prototypes.

    The last layer is weight-normed with its gain fixed at 1. Features [B, D] to cosines [B, out_dim].
    """

    def __init__(self, num_features: int, hidden_dim: int, bottleneck_dim: int, out_dim: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(num_features, hidden_dim),
            nn.GELU(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.GELU(),
            nn.Linear(hidden_dim, bottleneck_dim),
        )
        self.prototypes = nn.Linear(bottleneck_dim, out_dim, bias=False)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.trunc_normal_(part.weight, std=0.02)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)

    def forward(self, features: Tensor) -> Tensor:
        x = F.normalize(self.mlp(features).float(), dim=1)
        with torch.autocast(x.device.type, enabled=False):  # divided by a small temperature, bf16 is too coarse
            return F.linear(x, F.normalize(self.prototypes.weight, dim=1))
