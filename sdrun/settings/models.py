"""Settings of the architectures.

``smallest_batch`` counts the images that a batch needs, 2 with BatchNorm; ``taps`` names those of the backbone.
"""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings.checks import require_positive, require_range


def numbered(word: str, num: int) -> list[str]:
    """``word_1`` to ``word_num``."""
    return [f"{word}_{number}" for number in range(1, num + 1)]


@dataclass
class CNNSettings:
    """A small residual CNN on half the resolution."""

    smallest_batch: ClassVar[int] = 2

    name: str
    architecture: str
    widths: list[int]
    depth: int

    def __post_init__(self) -> None:
        require(bool(self.widths) and min(self.widths) > 0, "model.widths", "needs at least one width, each above 0")
        require_range("model.depth", self.depth, 0)

    @property
    def taps(self) -> list[str]:
        return numbered("stage", len(self.widths))

    def check_images(self, size: int) -> None:
        require(
            (size + 1) // 2 >= 2 ** (len(self.widths) - 1),
            "model.widths",
            f"has more stages than {size}x{size} images can be halved; use fewer",
        )


@dataclass
class ResNetSettings:
    """ResNet of basic blocks with a stem for small images."""

    smallest_batch: ClassVar[int] = 2

    name: str
    architecture: str
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

    def check_images(self, size: int) -> None:
        """Strided convolutions work at any size."""


@dataclass
class ViTSettings:
    """Vision transformer with a class token."""

    smallest_batch: ClassVar[int] = 1

    name: str
    architecture: str
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

    def check_images(self, size: int) -> None:
        require(size % self.patch_size == 0, "model.patch_size", f"must divide the image size {size}")


MODELS: dict[str, type] = {"cnn": CNNSettings, "resnet": ResNetSettings, "vit": ViTSettings}
