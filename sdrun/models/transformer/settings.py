"""A small transformer encoder of texts."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import Item, ModelSettings, numbered, require_positive, require_range

FEWEST_PIECES = 512
"""Bytes are pieces, and some more are needed."""


@dataclass
class TransformerSettings(ModelSettings):
    """``length``: pieces of a text that it takes; ``vocabulary``: different pieces, at most.

    ``mlp_ratio``: hidden width of a block's MLP over ``width``.
    """

    takes: ClassVar[str] = "texts"
    smallest_batch: ClassVar[int] = 1

    length: int
    vocabulary: int
    width: int
    depth: int
    heads: int
    mlp_ratio: float

    def __post_init__(self) -> None:
        for key in ("length", "width", "depth", "heads"):
            require_range(f"model.{key}", getattr(self, key), 1)
        require_range("model.vocabulary", self.vocabulary, FEWEST_PIECES)
        require_positive("model.mlp_ratio", self.mlp_ratio)
        require(self.width % self.heads == 0, "model.heads", f"must divide model.width={self.width}")

    @property
    def taps(self) -> list[str]:
        return numbered("block", self.depth)

    def check(self, item: Item) -> None:
        is_there = find_spec("tokenizers") is not None
        require(is_there, "model", f"{self.name} needs the tokenizers library; get it by: pip install 'sdrun[text]'")

    def taken(self, item: Item) -> Item:
        return Item("pieces", (self.length,), self.vocabulary)
