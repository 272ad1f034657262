"""Words by hashes and pieces that are learned: numbers, where words start, and back again."""

import json
import time

import numpy as np
import pytest
import torch

from sdrun.data.source import Packed
from sdrun.errors import RunError
from sdrun.tasks.text.pieces import Pieces, learned
from sdrun.tasks.text.texts import Texts
from sdrun.tasks.text.tokens import MASK, PAD
from sdrun.tasks.text.words import Words, words_of

CORPUS = [
    f"The {noun} was {word} unlike the others, wasn't it?" for noun in ("train", "meal") for word in ("good", "bad")
]


def rows(tokens):
    return [part.tolist() for part in np.split(tokens.numbers, tokens.ends[:-1])]


def test_a_word_has_the_same_number_wherever_it_stands_and_on_every_machine():
    one, other = Words(), Words()
    first, second = rows(one.encode(["Good day!", "GOOD  night"], 8))
    assert first[0] == second[0]
    assert first == [1_820_610_196, 1_704_995_220, 510_394_327]
    assert rows(other.encode(["good day!"], 8)) == [first]
    assert min(*first, *second) > MASK


ODD = [
    "Don't!!! :-)",
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22",
    "cafe\u0301 \N{GRINNING FACE} $5 a_b",
    "\N{EM SPACE}x\ty",
]


def test_words_and_pieces_agree_on_what_a_word_is():
    words, pieces = Words(), Pieces(learned(ODD, 512))
    assert words_of(ODD[0]) == ["don", "'", "t", "!", "!", "!", ":", "-", ")"]
    assert words_of(ODD[1]) == ODD[1].split()  # marks that go with a letter stay with it
    assert words_of(ODD[2]) == ["caf\xe9", "\N{GRINNING FACE}", "$", "5", "a", "_", "b"]
    for text in ODD:
        one, other = words.encode([text], 64), pieces.encode([text], 64)
        assert one.starts.sum() == other.starts.sum() == len(words_of(text))
        assert words.text(one.numbers) == pieces.text(other.numbers) == " ".join(words_of(text))
    assert words.text([MASK, 77]) == "_ ?"


def test_longer_texts_are_cut_and_counted():
    for reader in (Words(), Pieces(learned(CORPUS, 512))):
        tokens = reader.encode(["one two three four", "one"], 2)
        assert tokens.num_cut >= 1
        assert np.diff(tokens.ends, prepend=0).max() == tokens.longest == 2


def test_pieces_are_the_same_for_the_same_texts_and_say_where_words_start():
    document = learned(CORPUS, 512)
    assert learned(Texts.of(CORPUS), 512) == document
    assert len(json.loads(document)["model"]["vocab"]) <= 512
    pieces = Pieces(document)
    tokens = pieces.encode(["Unlike trains, 日!"], 64)
    assert pieces.text(tokens.numbers) == "unlike trains , 日 !"
    assert tokens.starts.sum() == 5
    assert tokens.starts[0]
    assert len(tokens.numbers) > 5


def test_words_without_end_are_taken_by_the_hundred_letters():
    endless = "x" * 250 + " \u4eca" + "\u65e5" * 150
    assert [len(word) for word in words_of(endless)] == [100, 100, 50, 100, 51]
    started = time.process_time()
    pieces = Pieces(learned(["x" * 300_000, *CORPUS], 600))
    assert pieces.encode([endless], 10_000).starts.sum() == 5
    assert time.process_time() - started < 20  # it took minutes


def test_a_text_that_spells_a_special_piece_has_none():
    tokens = Pieces(learned(CORPUS, 512)).encode(["[PAD] and [MASK]"], 64)
    assert not {PAD, MASK} & set(tokens.numbers.tolist())


def test_what_is_no_tokenizer_is_named():
    with pytest.raises(RunError, match=r"tokenizer.json is no tokenizer \(.*\); restore it from a copy"):
        Pieces(b"{}")


def test_without_the_library_the_way_to_get_it_is_said_before_a_folder_is_made(monkeypatch, tmp_path, called):
    monkeypatch.setattr("sdrun.models.transformer.settings.find_spec", lambda name: None)
    code, text = called("dataset=sentences", "model=transformer")
    told = "sdrun: model: transformer needs the tokenizers library; get it by: pip install 'sdrun[text]'\n"
    assert (code, text) == (2, told)
    assert not list(tmp_path.iterdir())


def test_packed_items_come_padded_and_cut():
    ends = torch.tensor([3, 3, 5, 9])
    packed = Packed({"a": torch.arange(1, 10), "b": torch.ones(9, dtype=torch.bool)}, ends, 3)
    fields = packed.fetch(torch.tensor([3, 0, 1, 2]))
    assert fields["a"].tolist() == [[6, 7, 8], [1, 2, 3], [0, 0, 0], [4, 5, 0]]
    assert fields["b"].sum(dim=1).tolist() == [3, 3, 0, 2]
    assert len(packed) == 4
    assert packed.fingerprint == Packed(dict(packed.fields), ends, 3).fingerprint
    assert packed.fingerprint != Packed(dict(packed.fields), ends, 2).fingerprint
