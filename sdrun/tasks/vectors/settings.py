"""Settings of vectors and of their views."""

from dataclasses import dataclass

from sdrun.errors import require
from sdrun.settings import DatasetSettings, Item, require_range


@dataclass
class ViewSettings:
    """What is done to the numbers of a vector, each drawn by itself; zero turns one off.

    ``noise``: Gaussian, in standard deviations; ``mask`` and ``swap``: shares of the numbers in whose place their mean
    stands, or that of another training item.
    """

    noise: float
    mask: float
    swap: float

    def check(self, key: str) -> None:
        """Raise InputError where a value is out of range."""
        require_range(f"{key}.noise", self.noise, 0)
        require_range(f"{key}.mask", self.mask, 0, 1)
        require_range(f"{key}.swap", self.swap, 0, 1)
        require(
            self.mask + self.swap <= 1, f"{key}.swap", "and mask are shares of the same numbers, at most 1 together"
        )


@dataclass
class VectorsSettings(DatasetSettings):
    """``views``: how vectors are seen, by role."""

    views: dict[str, ViewSettings]

    def __post_init__(self) -> None:
        super().__post_init__()
        for role, view in self.views.items():
            view.check(f"dataset.views.{role}")

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(self.views)

    def seen(self, item: Item, role: str) -> Item:
        return item
