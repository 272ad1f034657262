"""Settings that all stacks of transformer blocks share. Imports no torch."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import ModelSettings, numbered, require_positive, require_range


@dataclass
class BlocksSettings(ModelSettings):
    """``depth`` blocks of this ``width``; ``mlp_ratio``: hidden width of a block's MLP over it."""

    smallest_batch: ClassVar[int] = 1

    width: int
    depth: int
    heads: int
    mlp_ratio: float

    def __post_init__(self) -> None:
        require_range("model.width", self.width, 1)
        require_range("model.depth", self.depth, 1)
        require_range("model.heads", self.heads, 1)
        require_positive("model.mlp_ratio", self.mlp_ratio)
        require(self.width % self.heads == 0, "model.heads", f"must divide model.width={self.width}")

    @property
    def taps(self) -> list[str]:
        return numbered("block", self.depth)
