"""What a stage is: the same for what is equal, another for whatever a training can tell apart."""

import math
import operator
import random
import threading
from functools import cached_property, partial

import numpy as np
import pytest
import torch
from torch import nn

from sdrun.identity import Unknowable, identity, source_digest
from sdrun.settings import Device


class Holder:
    def __init__(self, value, **more):
        self.value = value
        vars(self).update(more)

    @cached_property
    def doubled(self):
        return 2 * self.value

    def method(self):
        return self.value


class Other(Holder):
    pass


class Base:
    __slots__ = ("hidden",)


class Slotted(Base):
    def __init__(self, hidden):
        self.hidden = hidden
        self.seen = 1


class Pickled(Holder):
    def __reduce__(self):
        return (Pickled, ())


def closing_over(value):
    return lambda x: x * value


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def in_circles(value):
    holder = Holder(value)
    holder.itself = [holder]
    return holder


def changed(module, change):
    change(module)
    return module


EQUAL = [
    lambda: 1.5,
    lambda: [None, True, "a", b"b", 2**70, Device.cpu, torch.float32, torch.device("cpu"), slice(1, 2)],
    lambda: torch.arange(3),
    lambda: np.eye(2),
    lambda: network(),
    lambda: Holder(torch.ones(2)),
    lambda: Holder(1).method,
    lambda: closing_over(3),
    lambda: partial(sorted, key=operator.neg),
    lambda: in_circles(1),
    lambda: {"b": 1, "a": {3, 1, 2}},
]


@pytest.mark.parametrize("make", EQUAL)
def test_equal_things_have_one(make):
    assert identity(make()) == identity(make())


DIFFERENT = [
    (1, 1.0),
    (1, True),
    ("1", 1),
    (None, "None"),
    ([1, 2], [2, 1]),
    ([1, 2], (1, 2)),
    (["ab", "c"], ["a", "bc"]),
    ([[1], 2], [[1, 2]]),
    ({"a": 1}, {"a": 2}),
    (torch.zeros(2), torch.zeros(2, 1)),
    (torch.zeros(2), torch.zeros(2, dtype=torch.int32)),
    (torch.zeros(1), -torch.zeros(1)),
    (np.zeros(2), np.zeros(2, dtype=np.float32)),
    (Holder(1), Holder(2)),
    (Holder(1), Other(1)),
    (Slotted(1), Slotted(2)),
    (operator.add, operator.mul),
    (Holder(1), Holder(1, more=None)),
    (Holder(1).method, Holder(2).method),
    (closing_over(1), closing_over(2)),
    (lambda: 1, lambda: 2),
    (lambda a=1: a, lambda a=2: a),
    (lambda *, a=1: a, lambda *, a=2: a),
    (lambda a: a.real, lambda a: a.imag),
    (partial(operator.add, 1), partial(operator.add, 2)),
    (in_circles(1), in_circles(2)),
    (network(0), network(1)),
    (network(), network().eval()),
    (network(), changed(network(), lambda it: it[0].weight.requires_grad_(False))),
    (network(), changed(network(), lambda it: it[1].running_mean.add_(1))),
    (network(), changed(network(), lambda it: setattr(it[1], "momentum", 0.2))),
    (network(), changed(network(), lambda it: it.register_forward_hook(closing_over(1)))),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_can_be_told_apart_has_another(one, other):
    assert identity(one) != identity(other)


def test_what_was_computed_from_the_rest_does_not_count():
    holder = Holder(2)
    before = identity(holder)
    assert holder.doubled == 4
    assert identity(holder) == before


HIDDEN = [
    torch.Generator(),
    threading.Lock(),
    np.array([object()]),
    np.random.default_rng(0),
    random.Random(0),  # whose attributes do not tell its state
    Pickled(1),
    math,
]


@pytest.mark.parametrize("thing", HIDDEN)
def test_what_cannot_be_told_apart_has_none(thing):
    with pytest.raises(Unknowable):
        identity([Holder(thing)])


def test_the_source_is_that_of_all_files():
    assert len(source_digest()) == 64
