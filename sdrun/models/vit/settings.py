"""Vision transformer with a class token."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.errors import require
from sdrun.models.block_settings import BlocksSettings
from sdrun.settings import Item, require_range


@dataclass
class ViTSettings(BlocksSettings):
    """``patch_size`` in pixels."""

    takes: ClassVar[str] = "images"

    patch_size: int

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("model.patch_size", self.patch_size, 1)

    def check(self, item: Item) -> None:
        size = item.shape[-1]
        require(size % self.patch_size == 0, "model.patch_size", f"must divide the image size {size}")
