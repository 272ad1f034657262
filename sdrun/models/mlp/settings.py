"""A residual perceptron."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.settings import ModelSettings, numbered, require_range


@dataclass
class MLPSettings(ModelSettings):
    """``width``: units of each of ``depth`` residual layers."""

    takes: ClassVar[str] = "vectors"
    smallest_batch: ClassVar[int] = 1

    width: int
    depth: int

    def __post_init__(self) -> None:
        require_range("model.width", self.width, 1)
        require_range("model.depth", self.depth, 1)

    @property
    def taps(self) -> list[str]:
        return numbered("layer", self.depth)
