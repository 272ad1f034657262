"""Words by their hashes: nothing is learned of the texts, and no word is unknown."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

from sdrun.tasks.text.tokens import MASK, Tokens, pack

LOWEST = MASK + 1
LONG = re.compile(r"(\w{100})(?=\w)")


class Words:
    """Words and single marks, each with a number below 2^31 that is its own, but for chance.

    >>> words = Words()
    >>> words.text(words.encode(["It's good!"], length=8).numbers)
    "it ' s good !"
    """

    fingerprint = "words"

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._words = {MASK: "_"}

    def encode(self, texts: Iterable[str], length: int) -> Tokens:
        """See ``Reader.encode``."""
        return pack(self._encoded(texts), length)

    def text(self, numbers: Sequence[int]) -> str:
        """The words of these numbers, as far as they were encoded here."""
        return " ".join(self._words.get(int(number), "?") for number in numbers)

    def _encoded(self, texts: Iterable[str]) -> Iterator[tuple[list[int], list[bool]]]:
        for text in texts:
            numbers = [self._number(word) for word in words_of(text)]
            yield numbers, [True] * len(numbers)

    def _number(self, word: str) -> int:
        number = self._numbers.get(word)
        if number is None:
            number = self._numbers[word] = LOWEST + crc32(word.encode()) % (2**31 - LOWEST)
            self._words[number] = word
        return number


def words_of(text: str) -> list[str]:
    """What stands between spaces, in lower case and composed (NFKC); punctuation and symbols each by themselves."""
    return unicodedata.normalize("NFKC", with_short_words(text)).lower().translate(_APART).split()


def with_short_words(text: str) -> str:
    """The text with a space after every hundred letters in a row, for pieces are learned in more than linear time."""
    return LONG.sub(r"\1 ", text)


class _Apart(dict[int, str]):
    """Characters by code, with spaces around those that stand by themselves."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        stands_alone = unicodedata.category(character)[0] in "PS"
        self[code] = f" {character} " if stands_alone else character
        return self[code]


_APART = _Apart()
