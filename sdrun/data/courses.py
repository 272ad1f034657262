"""The items of a run as a stream: which come when, and what each period is judged on. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sdrun.data.periods import Amounts, Cut, Filed
from sdrun.errors import require
from sdrun.randomness import seed_of
from sdrun.settings import (
    CutSettings,
    DatasetSettings,
    DomainSettings,
    DriftSettings,
    FilesSettings,
    FrequencySettings,
)

if TYPE_CHECKING:
    from sdrun.data.labelled import Labelled, Published, Splits

FLAT = 1e-6
"""A slope of a logarithm that is none."""

SPARE = 4
"""Test items for each that a period of other frequencies is judged on, so that rare classes do not run out."""


@dataclass(frozen=True)
class _Course:
    """``order``: positions of the training items without labels as they come; the rest as in ``Cut``."""

    order: np.ndarray
    test: "Labelled"
    pool: "Labelled"
    held_out: list[np.ndarray]
    amounts: Amounts


def streamed(splits: "Splits", settings: DatasetSettings, source: "Published") -> "Splits":
    """The same items as a stream. Raises InputError where they are too few for it."""
    stream = settings.stream
    if isinstance(stream, FilesSettings):
        return _in_files(splits, stream, settings.seed, source)
    assert isinstance(stream, CutSettings)
    rest = np.setdiff1d(np.arange(len(splits.train)), splits.labelled)
    lacks = f"{len(rest):,} items without labels are too few for dataset.stream.periods={stream.periods}"
    way = "; lower that, or set dataset.num_labels, for the labelled items are the first period"
    require(len(rest) >= stream.periods, "dataset.stream", lacks + way)
    random = np.random.default_rng(seed_of(settings.seed, "stream"))
    rest = random.permutation(rest)
    if isinstance(stream, FrequencySettings):
        course = _by_frequencies(stream, splits, rest, random)
    elif isinstance(stream, DomainSettings):
        course = _by_domains(stream, splits, rest, source.domains)
    else:
        assert isinstance(stream, DriftSettings)
        course = _by_amounts(stream, splits, rest, random)
    order = random.permutation(course.order) if stream.shuffled else course.order
    rows = [splits.labelled, *np.array_split(order, stream.periods)]
    periods = Cut(stream.names, rows, course.pool, course.held_out, course.amounts, splits.true_labels)
    return replace(splits, test=course.test, periods=periods)


def in_first(settings: DatasetSettings, source: "Published") -> np.ndarray:
    """Whether each training item [N] may be of the period that has labels, which is as validation is.

    Raises InputError where a stream of domains names others than the dataset has.
    """
    if not isinstance(settings.stream, DomainSettings):
        return np.ones(len(source.train), dtype=bool)
    first, *_ = source.numbers_of(
        settings.stream.order, settings.name, "give a file for each period: dataset/stream=files"
    )
    return source.train.numbers("domain") == first


def _in_files(splits: "Splits", stream: FilesSettings, seed: int, source: "Published") -> "Splits":
    """Tested on what the last file holds for that, if it has labels."""
    assert source.further
    order = np.arange(stream.num_periods)
    if stream.shuffled:
        order = np.random.default_rng(seed_of(seed, "stream")).permutation(order)
    periods = Filed(stream.names, splits.test, source.further, order.tolist(), stream.held_out, stream.labelled)
    test = source.further(stream.num_periods - 1)[1] if stream.labelled else splits.test
    return replace(splits, test=test, periods=periods)


def _by_amounts(stream: DriftSettings, splits: "Splits", rest: np.ndarray, random: np.random.Generator) -> _Course:
    """Labelled items drift by amounts drawn evenly from their part; those after them by more and more."""
    begin, end = stream.amount
    borders = [begin, *np.linspace(stream.turn, end, stream.periods + 1)]
    spans = list(pairwise(borders))
    pool = splits.test.take(random.permutation(len(splits.test))[: stream.held_out])

    def drawn(place: int, num: int) -> np.ndarray:
        low, high = sorted(spans[place])
        return random.uniform(low, high, num)

    train = np.empty(len(splits.train))
    train[splits.labelled] = drawn(0, len(splits.labelled))
    train[rest] = np.linspace(stream.turn, end, len(rest))
    amounts = {"train": train, "val": drawn(0, len(splits.validation)), "test": drawn(-1, len(splits.test))}
    amounts |= {name: drawn(place, len(pool)) for place, name in enumerate(stream.names)}
    return _Course(rest, splits.test, pool, [np.arange(len(pool))] * len(spans), amounts)


def _by_frequencies(
    stream: FrequencySettings, splits: "Splits", rest: np.ndarray, random: np.random.Generator
) -> _Course:
    """Labelled items, and those that the first period is judged on, have the frequencies of the dataset."""
    num_classes, pool = len(splits.classes), random.permutation(len(splits.test))
    times = _times(splits.train.labels[rest], num_classes, stream.ratio, random)
    labels = splits.test.labels[pool]
    many = -(-len(pool) // SPARE)
    few = min(stream.held_out, many)

    def drawn(time: float, num: int) -> np.ndarray:
        return _drawn(labels, time, num_classes, stream.ratio, num, random)

    held_out = [np.arange(few), *(drawn(time, few) for time in np.linspace(0, 1, stream.periods))]
    test = splits.test.take(pool[drawn(1, many)])
    return _Course(rest[times.argsort()], test, splits.test.take(pool), held_out, {})


def _by_domains(stream: DomainSettings, splits: "Splits", rest: np.ndarray, domains: Sequence[str]) -> _Course:
    """``rest``: in no order. A period is judged on items of its domains, each domain by its share of the period."""
    numbers = [domains.index(name) for name in stream.order]
    place = np.full(len(domains), len(numbers))
    place[numbers] = np.arange(len(numbers))
    train, test = place[splits.train.numbers("domain")], place[splits.test.numbers("domain")]
    rest = rest[train[rest] < len(numbers)]
    lacks = f"is {stream.periods}, and {len(rest):,} items of these domains are left to come; lower it"
    require(len(rest) >= stream.periods, "dataset.stream.periods", lacks)
    order = rest[train[rest].argsort(kind="stable")]
    held_out, random, num = list[np.ndarray](), np.random.default_rng(seed_of("domains")), len(numbers) + 1
    counts = np.bincount(test, minlength=num)
    for rows in [splits.labelled, *np.array_split(order, stream.periods)]:
        weights = (np.bincount(train[rows], minlength=num) / counts.clip(1))[test]
        few = min(stream.held_out, int((weights > 0).sum()))
        held_out.append(random.choice(len(test), few, replace=False, p=weights / weights.sum()))
    of_last = splits.test.take(np.flatnonzero(test == len(numbers) - 1))
    return _Course(order, of_last, splits.test, held_out, {})


def _times(labels: np.ndarray, num_classes: int, ratio: float, random: np.random.Generator) -> np.ndarray:
    """When each item comes [N], in 0 to 1, so that its class has the weight of that time: by the inverse of its share.

    The weight of class k at the time t is ``ratio ** ((1 - 2 t) (1/2 - k / (K - 1)))``.
    """
    slope = -2 * np.log(ratio) * _place(labels, num_classes)
    slope = np.where(abs(slope) < FLAT, FLAT, slope)
    return np.log1p(random.random(len(labels)) * np.expm1(slope)) / slope


def _drawn(
    labels: np.ndarray, time: float, num_classes: int, ratio: float, num: int, random: np.random.Generator
) -> np.ndarray:
    """Positions of ``num`` items with the frequencies at a time."""
    weights = ratio ** ((1 - 2 * time) * _place(labels, num_classes))
    return random.choice(len(labels), num, replace=False, p=weights / weights.sum())


def _place(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """From 1/2 for the first class to -1/2 for the last."""
    return 0.5 - labels / (num_classes - 1)
