"""A small residual CNN on half the resolution."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import Item, ModelSettings, numbered, require_range


@dataclass
class CNNSettings(ModelSettings):
    """``widths``: channels of each stage; ``depth``: residual convolutions a stage."""

    takes: ClassVar[str] = "images"
    smallest_batch: ClassVar[int] = 2

    widths: list[int]
    depth: int

    def __post_init__(self) -> None:
        require(bool(self.widths) and min(self.widths) > 0, "model.widths", "needs at least one width, each above 0")
        require_range("model.depth", self.depth, 0)

    @property
    def taps(self) -> list[str]:
        return numbered("stage", len(self.widths))

    def check(self, item: Item) -> None:
        size = item.shape[-1]
        require(
            (size + 1) // 2 >= 2 ** (len(self.widths) - 1),
            "model.widths",
            f"has more stages than {size}x{size} images can be halved; use fewer",
        )
