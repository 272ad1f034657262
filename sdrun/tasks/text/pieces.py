"""Pieces of words: byte-pair encoding (1508.07909), learned of the training texts by the ``tokenizers`` library."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from sdrun.errors import RunError
from sdrun.tasks.text.tokens import Tokens, pack
from sdrun.tasks.text.words import with_short_words

FILE = "tokenizer.json"
SPECIAL = ["[PAD]", "[MASK]"]
BATCH = 1000


class Pieces:
    """Pieces of the same words that ``words.words_of`` gives, by what ``learned`` gave; bytes are pieces, too."""

    def __init__(self, document: bytes) -> None:
        """Raises RunError where the document is no tokenizer."""
        try:
            self.tokenizer = Tokenizer.from_str(document.decode())
        except Exception as error:  # the library raises nothing more special
            raise RunError(f"{FILE} is no tokenizer ({error}); restore it from a copy") from error
        self.tokenizer.encode_special_tokens = True  # a text that says [PAD] says these letters
        self.fingerprint = sha256(document).hexdigest()

    def encode(self, texts: Iterable[str], length: int) -> Tokens:
        """See ``Reader.encode``."""
        return pack(self._encoded(texts), length)

    def text(self, numbers: Sequence[int]) -> str:
        """See ``Reader.text``."""
        return self.tokenizer.decode(list(map(int, numbers)), skip_special_tokens=False).replace("[MASK]", " _").strip()

    def _encoded(self, texts: Iterable[str]) -> Iterator[tuple[list[int], list[bool]]]:
        texts = map(with_short_words, texts)
        while batch := list(islice(texts, BATCH)):
            for encoding in self.tokenizer.encode_batch(batch, add_special_tokens=False):
                words = encoding.word_ids
                yield encoding.ids, [word != before for word, before in zip(words, [None, *words], strict=False)]


def learned(texts: Iterable[str], num_pieces: int) -> bytes:
    """A tokenizer of at most so many pieces, as the library writes it; the same for the same texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(r"[\p{P}\p{S}]"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=num_pieces,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(map(with_short_words, texts), trainer)
    return tokenizer.to_str().encode()
