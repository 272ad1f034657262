"""Views of texts: whole words are dropped, masked and moved, by draws of their own."""

import pytest
import torch

from sdrun.tasks.text.settings import ViewSettings
from sdrun.tasks.text.tokens import MASK, PAD
from sdrun.tasks.text.views import Clean, View

LENGTH = 8
PIECES = {  # "aa|b|ccc" and "d|e": the number tells the word
    "tokens": torch.tensor([[11, 12, 21, 31, 32, 33, 0, 0], [41, 51, 0, 0, 0, 0, 0, 0]], dtype=torch.int32),
    "starts": torch.tensor([[1, 0, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]], dtype=torch.bool),
}


def seen(drop=0.0, mask=0.0, shuffle=0, fields=PIECES, **columns):
    """With draws of 0.5, but for the ``columns`` that are given: dropped, masked, moved."""
    size = len(fields["tokens"])
    u = torch.full((size, 3, LENGTH), 0.5)
    for place, name in enumerate(("dropped", "masked", "moved")):
        for row, values in enumerate(columns.get(name, [])):
            u[row, place, : len(values)] = torch.tensor(values)
    return View(ViewSettings(drop, mask, shuffle), LENGTH)(fields, u.flatten(1)).tolist()


def test_nothing_happens_where_all_is_off():
    assert seen() == PIECES["tokens"].tolist()
    assert Clean()(PIECES, torch.empty(2, 0)) is PIECES["tokens"]


def test_whole_words_are_dropped_and_the_rest_closes_up():
    assert seen(drop=0.3, dropped=[[0.9, 0.1, 0.8], [0.2, 0.9]]) == [[11, 12, 31, 32, 33, 0, 0, 0], [51] + [0] * 7]


def test_the_word_with_the_largest_draw_stays_as_it_is():
    dropped = [[0.1, 0.3, 0.2], [0.4, 0.2]]
    assert seen(drop=1.0, dropped=dropped) == [[21] + [0] * 7, [41] + [0] * 7]
    masked = seen(mask=1.0, dropped=dropped)
    assert masked == [[MASK, MASK, 21, MASK, MASK, MASK, 0, 0], [41, MASK] + [0] * 6]
    assert seen(drop=1.0, mask=1.0, shuffle=3, dropped=dropped) == [[21] + [0] * 7, [41] + [0] * 7]


def test_words_move_whole_and_no_further_than_they_may():
    assert seen(shuffle=2, moved=[[0.9, 0.1, 0.0], [0.9, 0.0]]) == [
        [21, 31, 32, 33, 11, 12, 0, 0],  # 0 + 2.7, 1 + 0.3, 2 + 0
        [51, 41, 0, 0, 0, 0, 0, 0],
    ]
    torch.manual_seed(0)
    fields = {"tokens": torch.arange(1, 9)[None].expand(500, -1), "starts": torch.ones(500, 8, dtype=torch.bool)}
    moved = View(ViewSettings(0.0, 0.0, 2), LENGTH)(fields, torch.rand(500, 3 * LENGTH))
    assert torch.equal(moved.sort(dim=1).values, fields["tokens"])
    distance = (moved - fields["tokens"]).abs()
    assert distance.max() == 2
    assert 0.3 < (distance > 0).float().mean() < 0.9


def test_to_turn_one_off_changes_no_other():
    torch.manual_seed(0)
    u = torch.rand(2, 3 * LENGTH)
    masks = [View(ViewSettings(0.0, 0.5, shuffle), LENGTH)(PIECES, u) for shuffle in (0, 3)]
    assert torch.equal(*(seen.sort(dim=1).values for seen in masks))
    drops = [View(ViewSettings(0.5, mask, 0), LENGTH)(PIECES, u) for mask in (0.0, 0.5)]
    assert torch.equal(*((seen != PAD) for seen in drops))


@pytest.mark.parametrize(("kind", "left"), [("drop", 0.75), ("mask", 0.75 + 0.25 / 8)])  # one of eight is not masked
def test_shares_are_what_the_settings_say(kind, left):
    torch.manual_seed(0)
    fields = {"tokens": torch.full((2000, 8), 9), "starts": torch.ones(2000, 8, dtype=torch.bool)}
    view = View(ViewSettings(**{"drop": 0.0, "mask": 0.0, "shuffle": 0, kind: 0.25}), LENGTH)
    is_left = view(fields, torch.rand(2000, 3 * LENGTH)) == 9
    assert float(is_left.float().mean()) == pytest.approx(left, abs=0.01)


def test_where_each_token_is_a_word_nothing_needs_to_say_so():
    torch.manual_seed(0)
    tokens = torch.tensor([[5, 6, 7, 8, 9, 0, 0, 0], [5, 0, 0, 0, 0, 0, 0, 0], [0] * 8], dtype=torch.int32)
    u, view = torch.rand(3, 3 * LENGTH), View(ViewSettings(0.4, 0.4, 3), LENGTH)
    assert torch.equal(view({"tokens": tokens}, u), view({"tokens": tokens, "starts": tokens != PAD}, u))


def test_a_wider_batch_changes_nothing():
    torch.manual_seed(0)
    u, view = torch.rand(2, 3 * LENGTH), View(ViewSettings(0.3, 0.3, 3), LENGTH)
    narrow = {name: values[:, :6] for name, values in PIECES.items()}
    assert torch.equal(view(narrow, u), view(PIECES, u)[:, :6])


def test_an_empty_text_stays_empty():
    fields = {"tokens": torch.zeros(1, 8, dtype=torch.int32), "starts": torch.zeros(1, 8, dtype=torch.bool)}
    assert seen(drop=0.5, mask=0.5, shuffle=3, fields=fields) == [[0] * 8]
