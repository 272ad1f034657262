"""Streams: data that keep coming, in periods; here those of which the first alone has labels."""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from sdrun.errors import InputError, require
from sdrun.settings.checks import require_range
from sdrun.settings.item import Item


@dataclass
class StreamSettings(ABC):
    """``takes``: the kind of items that can come so, None any; ``word``: what a period is called."""

    takes: ClassVar[str | None] = None
    word: ClassVar[str]

    kind: str

    @property
    @abstractmethod
    def num_periods(self) -> int:
        """How many follow the first one."""

    @property
    def names(self) -> list[str]:
        """Of the periods, which sort as they come."""
        width = len(str(self.num_periods))
        return [f"{self.word}_{number:0{width}}" for number in range(self.num_periods + 1)]

    def fed(self, item: Item) -> Item:
        """What an item of the stream is to a network."""
        return item

    @property
    def paths(self) -> dict[str, str | None]:
        """Where files are, by the settings that say so."""
        return {}

    def placed(self, paths: Mapping[str, str | None]) -> "StreamSettings":
        """These settings with other ``paths``."""
        return self


@dataclass
class UnlabelledSettings(StreamSettings):
    """``shuffled``: whether items come in no order, a control; ``held_out``: test items that a period is judged on."""

    word = "period"

    shuffled: bool
    held_out: int

    def __post_init__(self) -> None:
        require_range("dataset.stream.held_out", self.held_out, 1)


@dataclass
class CutSettings(UnlabelledSettings):
    """The items of a dataset, cut into ``periods`` of as many each."""

    periods: int

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("dataset.stream.periods", self.periods, 1)

    @property
    def num_periods(self) -> int:
        return self.periods


@dataclass
class DriftSettings(CutSettings):
    """Items that change by an amount, which goes from one to the other of ``amount``; labelled ones by ``first`` of it.

    Degrees of a rotation, or the strength of a corruption.
    """

    takes: ClassVar[str | None] = "images"

    amount: list[float]
    first: float

    def __post_init__(self) -> None:
        super().__post_init__()
        require(len(self.amount) == 2, "dataset.stream.amount", "needs a first and a last one, such as [0,60]")
        most = (0.0, 1.0) if self.kind == "corruption" else (-180.0, 180.0)
        for value in self.amount:
            require_range("dataset.stream.amount", value, *most)
        require_range("dataset.stream.first", self.first, 0, abs(self.amount[1] - self.amount[0]))

    @property
    def turn(self) -> float:
        """Where the labelled items end and the stream begins."""
        begin, end = self.amount
        return begin + (self.first if end > begin else -self.first)


@dataclass
class FrequencySettings(CutSettings):
    """``ratio``: how many times as frequent the first class is as the last, and in the end the other way round."""

    ratio: float

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("dataset.stream.ratio", self.ratio, 1)


@dataclass
class DomainSettings(CutSettings):
    """``order``: the domains that items of a dataset are from, as they come; the first has labels."""

    order: list[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        are_several = len(self.order) > 1 and len(set(self.order)) == len(self.order)
        require(are_several, "dataset.stream.order", "needs the domains one after another, each once, such as [a,b,c]")


@dataclass
class FilesSettings(UnlabelledSettings):
    """A file or folder in ``folder`` for each period, of the same kind as ``dataset.root``, which is the labelled one.

    ``files``: their names as they come; by default all that are there, by name and number. ``labelled``: whether they
    have labels, which judges alone see.
    """

    folder: str | None
    files: list[str] | None
    labelled: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        missing = "is missing; name the folder with a file for each period"
        require(self.folder is not None, "dataset.stream.folder", missing)
        if self.files is None:
            self.files = self._there()
        require(len(self.files) > 0, "dataset.stream.files", "names none; leave it out, for all that are in the folder")

    @property
    def num_periods(self) -> int:
        return len(self.files or [])

    @property
    def places(self) -> list[Path]:
        """Those of the files."""
        return [self._folder / name for name in self.files or []]

    @property
    def paths(self) -> dict[str, str | None]:
        return {"folder": self.folder}

    def placed(self, paths: Mapping[str, str | None]) -> "FilesSettings":
        return replace(self, folder=paths["folder"])

    @property
    def _folder(self) -> Path:
        return Path(os.path.expanduser(str(self.folder)))

    def _there(self) -> list[str]:
        try:
            names = [entry.name for entry in self._folder.iterdir() if not entry.name.startswith(".")]
        except OSError as error:
            raise InputError(f"dataset.stream.folder: {error}") from error
        require(bool(names), "dataset.stream.folder", f"{self.folder} is empty; put a file for each period there")
        return sorted(names, key=_by_number)


def _by_number(name: str) -> list[tuple[int, str]]:
    """Orders names as people do: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
