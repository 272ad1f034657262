"""A batch is a pure function of its step, and the ranks' parts are one rank's whole."""

import pytest
import torch

from helpers import settings
from sdrun.randomness import Draws, seed_of
from sdrun.streams.images import ImageStream
from sdrun.views.view import Normalise, View


def stream(batch_size=8, rank=0, world=1, words=(0, 0), num=30):
    images = torch.arange(num, dtype=torch.uint8).view(num, 1, 1, 1).expand(num, 1, 8, 8).contiguous()
    view = View(settings().dataset.views["weak"], Normalise([0.0], [1.0], torch.device("cpu"), False))
    return ImageStream(
        images, torch.arange(num), {"weak": (view, 1)}, torch.arange(num), batch_size, words, rank, world
    )


def equal(left, right):
    return torch.equal(left.index, right.index) and torch.equal(left.views["weak"][0], right.views["weak"][0])


def test_the_same_step_gives_the_same_batch_in_any_order():
    one, other = stream(), stream()
    later = [one(step) for step in (0, 5, 2)]
    again = [other(step) for step in (2, 0, 5)]
    assert equal(later[0], again[1])
    assert equal(later[1], again[2])
    assert equal(later[2], again[0])
    assert not equal(later[0], later[1])


def test_an_epoch_sees_every_image_once_but_for_the_remainder_and_is_shuffled_anew():
    s = stream()
    assert s.steps_per_epoch == 3
    first, second = (torch.cat([s(3 * epoch + step).index for step in range(3)]) for epoch in (0, 1))
    assert len(first.unique()) == len(second.unique()) == 24
    assert not torch.equal(first, second)


def test_labels_belong_to_the_images():
    batch = stream()(4)
    assert torch.equal(batch.label, batch.index)
    assert torch.equal((batch.views["weak"][0] * 255).amax(dim=(1, 2, 3)).round().long(), batch.index)


@pytest.mark.parametrize("words", [(1, 0), (0, 1)])
def test_another_seed_or_stage_gives_other_batches(words):
    assert not equal(stream()(0), stream(words=words)(0))


def test_the_ranks_parts_are_one_ranks_whole():
    whole = stream()(7)
    parts = [stream(rank=rank, world=2)(7) for rank in (0, 1)]
    assert torch.equal(torch.cat([part.index for part in parts]), whole.index)
    assert torch.equal(torch.cat([part.views["weak"][0] for part in parts]), whole.views["weak"][0])
    draws = torch.cat([part.draws.uniform("x", 3) for part in parts])
    assert torch.equal(draws, whole.draws.uniform("x", 3))


def test_splitting_a_batch_keeps_images_and_draws():
    whole = stream()(7)
    parts = whole.split(4)
    assert [len(part) for part in parts] == [2, 2, 2, 2]
    assert torch.equal(torch.cat([part.views["weak"][0] for part in parts]), whole.views["weak"][0])
    assert torch.equal(torch.cat([part.draws.uniform("x", 3) for part in parts]), whole.draws.uniform("x", 3))


def test_draws_differ_by_purpose_and_seeds_are_stable():
    draws = Draws((0,), slice(0, 4), 4)
    assert not torch.equal(draws.uniform("a", 2), draws.uniform("b", 2))
    assert seed_of(0, "init") == 3912388711783151084
    assert seed_of(1, 23) != seed_of(12, 3)
