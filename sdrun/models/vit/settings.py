"""Vision transformer with a class token."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import Item, ModelSettings, numbered, require_positive, require_range


@dataclass
class ViTSettings(ModelSettings):
    """``patch_size`` in pixels; ``mlp_ratio``: hidden width of a block's MLP over ``width``."""

    takes: ClassVar[str] = "images"
    smallest_batch: ClassVar[int] = 1

    patch_size: int
    width: int
    depth: int
    heads: int
    mlp_ratio: float

    def __post_init__(self) -> None:
        for key in ("patch_size", "width", "depth", "heads"):
            require_range(f"model.{key}", getattr(self, key), 1)
        require_positive("model.mlp_ratio", self.mlp_ratio)
        require(self.width % self.heads == 0, "model.heads", f"must divide model.width={self.width}")

    @property
    def taps(self) -> list[str]:
        return numbered("block", self.depth)

    def check(self, item: Item) -> None:
        size = item.shape[-1]
        require(size % self.patch_size == 0, "model.patch_size", f"must divide the image size {size}")
