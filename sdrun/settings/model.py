"""What the settings of every model family say."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from sdrun.errors import InputError
from sdrun.settings.item import Item


@dataclass
class ModelSettings(ABC):
    """``takes``: the kind of items; ``smallest_batch``: items that a batch needs, 2 with BatchNorm.

    ``immaterial``: settings that may differ between two networks of which one takes the other's weights.
    """

    takes: ClassVar[str]
    smallest_batch: ClassVar[int]
    immaterial: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    architecture: str

    @property
    def title(self) -> str:
        """What a record calls it: with a ``/``, the choice of ``model``, and the name that is chosen there."""
        return self.name

    @property
    def origin(self) -> str | None:
        """The file whose weights it starts with; None for chance."""
        return None

    def untrained(self) -> "ModelSettings":
        """Settings of such a network whose weights come from elsewhere."""
        return self

    @property
    @abstractmethod
    def taps(self) -> list[str]:
        """Names of the backbone's taps, shallow to deep."""

    def check(self, item: Item) -> None:  # noqa: B027 some take any
        """Raise InputError where items of this shape cannot go through it."""

    def taken(self, item: Item) -> Item:
        """In which form it takes an item, where a task has several; most take it as it is."""
        return item


@dataclass(frozen=True)
class Shape:
    """Of a network: ``taps`` are names, shallow to deep, and ``taps_are`` maps, tokens or vectors."""

    num_parameters: int
    taps: list[str]
    taps_are: str


@contextmanager
def named(key: str) -> Iterator[None]:
    """Errors of a model's settings name ``key`` in the place of ``model``, by which that model was chosen."""
    try:
        yield
    except InputError as error:
        raise InputError(re.sub("^model", key, str(error))) from error


def numbered(word: str, num: int) -> list[str]:
    """``word_1`` to ``word_num``."""
    return [f"{word}_{number}" for number in range(1, num + 1)]
