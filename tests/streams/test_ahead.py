"""Items may be gathered long before they are seen, and a view may be a tree."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from sdrun.data.source import Fields, Memory, Only
from sdrun.errors import InputError
from sdrun.methods.cs_kd.pairs import ClassPairs
from sdrun.streams.ahead import DEPTH, Ahead
from sdrun.streams.batch import Batch, Stream
from sdrun.streams.shuffled import Beside, Shuffled
from sdrun.trees import leaves

LABELS = torch.arange(20) % 3
ITEMS = Memory({"x": torch.arange(40.0).view(20, 2), "label": LABELS})


class Branching:
    """Noise on an item, and two further tensors of it."""

    num_draws = 2

    def __call__(self, fields: Fields, u: Tensor) -> dict[str, Any]:
        return {"a": fields["x"] + u, "b": [fields["x"][:, 0], u[:, :1]]}


class Plain:
    num_draws = 0

    def __call__(self, fields: Fields, u: Tensor) -> Tensor:
        return fields["x"]


def shuffled(num: int = 1, source=ITEMS, batch_size: int = 8, **ranks: int) -> Shuffled:
    return Shuffled(
        source,
        inputs=("x",),
        views={"weak": (Branching(), num)},
        clean=Plain(),
        pool=torch.arange(20),
        batch_size=batch_size,
        words=("test", batch_size),
        **ranks,
    )


def beside(**ranks: int) -> Beside:
    return Beside(shuffled(2, **ranks), {"others": shuffled(2, Only(ITEMS, ("x",)), 16, **ranks)})


def pairs(**ranks: int) -> ClassPairs:
    return ClassPairs(shuffled(**ranks), LABELS)


STREAMS = {"shuffled": shuffled, "beside": beside, "pairs": pairs}


def tensors(batch: Batch) -> Iterator[Tensor]:
    """All that a batch has, its draws too."""
    yield from leaves((batch.index, batch.views, batch.known, batch.draws.uniform("x", 2)))
    for other in batch.beside.values():
        yield from tensors(other)


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(x, y) for x, y in zip(tensors(one), tensors(other), strict=True))


def joined(parts: list[Batch]) -> list[Tensor]:
    return [torch.cat(pieces) for pieces in zip(*map(tensors, parts), strict=True)]


@pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)
def test_gathered_ahead_in_any_order_is_gathered_at_once(make):
    stream: Stream = make()
    items = {step: stream.gather(step) for step in (7, 0, 3, 1)}
    for step in (1, 7, 0, 3):
        assert same(stream.see(step, items[step]), make()(step))
    assert not same(stream(0), stream(1))


@pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)
def test_trees_split_over_accumulated_parts_and_ranks(make):
    whole = make()(5)
    halves = [make(rank=rank, world=2)(5) for rank in (0, 1)]
    quarters = [quarter for half in halves for quarter in half.split(2)]
    for parts in (whole.split(4), halves, quarters):
        assert parts[0].views["weak"][0].keys() == {"a", "b"}
        assert len({len(part) for part in parts}) == 1
        assert all(torch.equal(x, y) for x, y in zip(joined(parts), tensors(whole), strict=True))


def test_views_of_a_tree_are_independent_draws():
    one, other = shuffled(2)(0).views["weak"]
    assert torch.equal(one["b"][0], other["b"][0])
    assert not torch.equal(one["a"], other["a"])


def test_each_step_has_other_companions_and_partners():
    stream, paired = beside(), pairs()
    assert not torch.equal(stream(0).beside["others"].index, stream(1).beside["others"].index)
    assert not torch.equal(stream(0).beside["others"].index, stream(0).index.repeat(2))
    for step in (0, 1):
        (index, _), partners = paired.gather(step)
        assert torch.equal(LABELS[index], partners["label"])
        assert not torch.equal(ITEMS.fetch(index)["x"], partners["x"])
        assert torch.equal(ITEMS.fetch(paired.partner(step, index))["x"], partners["x"])
    assert not torch.equal(paired.partner(0, index), paired.partner(1, index))


@pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("steps", [range(5), (7, 8, 0, 3, 3, 2, 1, 9)], ids=["onwards", "any order"])
def test_a_stream_that_is_fetched_ahead_gives_the_same_batches(make, steps):
    stream, ahead = make(), Ahead(make())
    assert (ahead.steps_per_epoch, ahead.batch_size, ahead.lineage) == (
        stream.steps_per_epoch,
        stream.batch_size,
        stream.lineage,
    )
    for step in steps:
        assert same(ahead(step), make()(step))
    one, other = ahead.examples(3, 2), stream.examples(3, 2)
    assert all(torch.equal(x, y) for x, y in zip(leaves(one), leaves(other), strict=True))


class Noted:
    """Items whose fetching is counted; the one with the number ``bad`` fails."""

    fingerprint = "noted"

    def __init__(self, bad: int = -1) -> None:
        self.bad, self.count = bad, 0

    def __len__(self) -> int:
        return 20

    def fetch(self, index: Tensor) -> Fields:
        self.count += 1
        if self.count - 1 == self.bad:
            raise InputError("a.png: is empty")
        return ITEMS.fetch(index)


def test_what_comes_next_is_fetched_while_a_step_is_computed():
    source = Noted()
    ahead = Ahead(shuffled(source=source))
    ahead(0)
    deadline = time.monotonic() + 20
    while source.count < 1 + DEPTH and time.monotonic() < deadline:
        time.sleep(0.001)
    assert source.count == 1 + DEPTH
    ahead(1), ahead(2)
    assert source.count <= 3 + DEPTH  # each once


def test_what_goes_wrong_ahead_is_raised_at_its_step():
    source = Noted(bad=2)
    ahead = Ahead(shuffled(source=source))
    assert same(ahead(0), shuffled()(0))
    assert same(ahead(1), shuffled()(1))
    with pytest.raises(InputError, match=r"^a.png: is empty$"):
        ahead(2)
    assert same(ahead(2), shuffled()(2))  # of another try
