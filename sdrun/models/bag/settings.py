"""A perceptron on the mean of the embeddings of hashed n-grams."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.settings import Item, ModelSettings, numbered, require_range

NUM_HASHES = 2**31


@dataclass
class BagSettings(ModelSettings):
    """``length``: words of a text that it takes; ``ngrams``: words in the longest n-gram.

    ``buckets``: embeddings, of which n-grams share one by chance; ``width``: of an embedding, and units of each of
    ``depth`` layers.
    """

    takes: ClassVar[str] = "texts"
    smallest_batch: ClassVar[int] = 1

    length: int
    ngrams: int
    buckets: int
    width: int
    depth: int

    def __post_init__(self) -> None:
        require_range("model.length", self.length, 1)
        require_range("model.ngrams", self.ngrams, 1)
        require_range("model.width", self.width, 1)
        require_range("model.depth", self.depth, 1)
        require_range("model.buckets", self.buckets, 2)

    @property
    def taps(self) -> list[str]:
        return numbered("layer", self.depth)

    def taken(self, item: Item) -> Item:
        return Item("words", (self.length,), NUM_HASHES)
