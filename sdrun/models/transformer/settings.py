"""A small transformer encoder of texts."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

from sdrun.errors import require
from sdrun.models.block_settings import BlocksSettings
from sdrun.settings import Item, require_range

FEWEST_PIECES = 512
"""Bytes are pieces, and some more are needed."""


@dataclass
class TransformerSettings(BlocksSettings):
    """``length``: pieces of a text that it takes; ``vocabulary``: different pieces, at most."""

    takes: ClassVar[str] = "texts"

    length: int
    vocabulary: int

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("model.length", self.length, 1)
        require_range("model.vocabulary", self.vocabulary, FEWEST_PIECES)

    def check(self, item: Item) -> None:
        is_there = find_spec("tokenizers") is not None
        require(is_there, "model", f"{self.name} needs the tokenizers library; get it by: pip install 'sdrun[text]'")

    def taken(self, item: Item) -> Item:
        return Item("pieces", (self.length,), self.vocabulary)
