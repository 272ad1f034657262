"""ResNet of basic blocks with a stem for small images."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import Item, ModelSettings, numbered


@dataclass
class ResNetSettings(ModelSettings):
    """``widths``: channels of each stage; ``depths``: basic blocks of each."""

    takes: ClassVar[str] = "images"
    smallest_batch: ClassVar[int] = 2

    widths: list[int]
    depths: list[int]

    def __post_init__(self) -> None:
        require(bool(self.widths) and min(self.widths) > 0, "model.widths", "needs at least one width, each above 0")
        require(
            len(self.depths) == len(self.widths) and min(self.depths) > 0,
            "model.depths",
            f"needs one number of blocks above 0 for each of the {len(self.widths)} widths",
        )

    @property
    def taps(self) -> list[str]:
        return numbered("stage", len(self.widths))

    def check(self, item: Item) -> None:
        """Strided convolutions work at any size."""
