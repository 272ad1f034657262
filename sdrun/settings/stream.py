"""Streams: data that drift, in periods after the one that has labels."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings.checks import require_range

PERIOD = "period"


@dataclass
class StreamSettings:
    """``periods``: how many follow the labelled one; ``shuffled``: whether their items come in no order, a control;
    ``held_out``: test items that each is judged on.

    ``takes``: the kind of items that can drift so, None any.
    """

    takes: ClassVar[str | None] = None

    kind: str
    periods: int
    shuffled: bool
    held_out: int

    def __post_init__(self) -> None:
        require_range("dataset.stream.periods", self.periods, 1)
        require_range("dataset.stream.held_out", self.held_out, 1)

    @property
    def names(self) -> list[str]:
        """Of the periods, the labelled one first: they sort as they come."""
        width = len(str(self.periods))
        return [f"{PERIOD}_{number:0{width}}" for number in range(self.periods + 1)]


@dataclass
class DriftSettings(StreamSettings):
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
class FrequencySettings(StreamSettings):
    """``ratio``: how many times as frequent the first class is as the last, and in the end the other way round."""

    ratio: float

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("dataset.stream.ratio", self.ratio, 1)


STREAMS: dict[str, type[StreamSettings]] = {
    "rotation": DriftSettings,
    "corruption": DriftSettings,
    "class_frequency": FrequencySettings,
}
"""By kind."""
