"""A batch is a pure function of its step, and the ranks' parts are one rank's whole."""

import pytest
import torch

from helpers import settings, shuffled
from sdrun.randomness import Draws, seed_of
from sdrun.streams.shuffled import Beside
from sdrun.tasks.images.views.view import Normalise, View


def stream(batch_size=8, rank=0, world=1, words=(0, 0), num=30):
    images = torch.arange(num, dtype=torch.uint8).view(num, 1, 1, 1).expand(num, 1, 8, 8).contiguous()
    view = View(settings().dataset.views["weak"], Normalise([0.0], [1.0], torch.device("cpu"), False))
    return shuffled(images, torch.arange(num), {"weak": (view, 1)}, torch.arange(num), batch_size, words, rank, world)


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
    assert torch.equal(batch.known["label"], batch.index)
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


def views(**numbers):
    roles = settings("dataset=fashion_mnist").dataset.views
    normalise = Normalise([0.0], [1.0], torch.device("cpu"), False)
    return {role: (View(roles[role], normalise), num) for role, num in numbers.items()}


def pictures(num=20):
    return torch.randint(0, 256, (num, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_crops_are_independent_views_of_each_image_in_their_own_size():
    s = shuffled(pictures(), torch.arange(20), views(**{"global": 2, "local": 3}), torch.arange(20), 10, (0,))
    batch = s(1)
    assert [tuple(x.shape) for x in batch.views["global"]] == [(10, 1, 28, 28)] * 2
    assert [tuple(x.shape) for x in batch.views["local"]] == [(10, 1, 16, 16)] * 3
    assert not torch.equal(*batch.views["global"])
    single = Draws((0, 1), slice(0, 10), 10).uniform("global", 2 * s.views["global"][0].num_draws)
    first = s.views["global"][0](s.source.fetch(batch.index), single[:, : single.shape[1] // 2])
    torch.testing.assert_close(batch.views["global"][0], first)


def test_two_ranks_and_accumulated_parts_see_the_crops_of_the_whole_batch():
    numbers = {"global": 2, "local": 3}
    whole = shuffled(pictures(), torch.arange(20), views(**numbers), torch.arange(20), 8, (0,))(3)
    halves = [
        shuffled(pictures(), torch.arange(20), views(**numbers), torch.arange(20), 8, (0,), rank, 2)(3)
        for rank in (0, 1)
    ]
    for parts in (halves, whole.split(2)):
        for role, num in numbers.items():
            for view in range(num):
                joined = torch.cat([part.views[role][view] for part in parts])
                torch.testing.assert_close(joined, whole.views[role][view])


def test_a_pool_is_shuffled_by_itself_and_an_epoch_counts_all_images():
    pool = torch.tensor([1, 4, 7, 9, 12])
    s = shuffled(pictures(), torch.arange(20), views(weak=1), pool, 2, (0,))
    assert s.steps_per_epoch == 10
    drawn = [s(step).index for step in range(8)]
    for start in range(0, 8, 2):
        assert len(torch.cat(drawn[start : start + 2]).unique()) == 4
    assert set(torch.cat(drawn).tolist()) == set(pool.tolist())


def test_paired_batches_split_with_their_companions():
    labelled = shuffled(pictures(), torch.arange(20), views(weak=2), torch.arange(4), 4, (0,))
    others = shuffled(pictures(), None, views(weak=2), torch.arange(20), 8, (0, "unlabelled"))
    stream = Beside(labelled, {"unlabelled": others})
    assert (stream.batch_size, stream.steps_per_epoch) == (12, 5)
    batch = stream(2)
    assert batch.beside["unlabelled"].known == {}
    parts = batch.split(2)
    assert [len(part) for part in parts] == [2, 2]
    assert [len(part.beside["unlabelled"]) for part in parts] == [4, 4]
    torch.testing.assert_close(
        torch.cat([p.beside["unlabelled"].views["weak"][1] for p in parts]), batch.beside["unlabelled"].views["weak"][1]
    )


def test_a_batch_that_is_larger_than_its_pool_repeats_it_evenly():
    pool = torch.tensor([1, 4, 7])
    s = shuffled(pictures(), torch.arange(20), views(weak=1), pool, 8, (0,))
    for step in range(4):
        index = s(step).index
        assert len(index) == 8
        assert set(index.tolist()) == {1, 4, 7}
        assert index.bincount().max() <= 3
    assert not torch.equal(s(0).index, s(1).index)
