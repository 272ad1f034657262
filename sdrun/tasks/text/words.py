"""Words by their hashes: nothing is learned of the texts, and no word is unknown."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from zlib import crc32

from sdrun.tasks.text.tokens import MASK, Tokens, pack

WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
LOWEST = MASK + 1


class Words:
    """Words and single marks, in lower case, each with a number below 2^31 that is its own, but for chance.

    >>> words = Words()
    >>> words.text(words.encode(["It's good!"], length=8).numbers)
    "it's good !"
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def encode(self, texts: Iterable[str], length: int) -> Tokens:
        """See ``Reader.encode``."""
        return pack(self._encoded(texts), length)

    def text(self, numbers: Sequence[int]) -> str:
        """The words of these numbers, as far as they were encoded here."""
        return " ".join(self._words.get(int(number), "?") for number in numbers)

    def _encoded(self, texts: Iterable[str]) -> Iterator[tuple[list[int], list[bool]]]:
        numbers = self._numbers
        for text in texts:
            words = WORD.findall(text.lower())
            for word in words:
                if word not in numbers:
                    numbers[word] = LOWEST + crc32(word.encode()) % (2**31 - LOWEST)
            yield [numbers[word] for word in words], [True] * len(words)

    @cached_property
    def _words(self) -> dict[int, str]:
        return {MASK: "_", **{number: word for word, number in self._numbers.items()}}
