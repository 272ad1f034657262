"""Settings of texts and of their views."""

from dataclasses import dataclass

from sdrun.errors import require
from sdrun.settings import DatasetSettings, Item, require_range


@dataclass
class ViewSettings:
    """What is done to the words of a text, each drawn by itself: ``drop`` and ``mask`` are shares of them, ``shuffle``
    the places by which one may move. Zero turns one off. One word always stays.
    """

    drop: float
    mask: float
    shuffle: int

    def check(self, key: str) -> None:
        """Raise InputError where a value is out of range."""
        require_range(f"{key}.drop", self.drop, 0, 1)
        require_range(f"{key}.mask", self.mask, 0, 1)
        require_range(f"{key}.shuffle", self.shuffle, 0)


@dataclass
class TextSettings(DatasetSettings):
    """``views``: how texts are seen, by role."""

    views: dict[str, ViewSettings]

    def __post_init__(self) -> None:
        super().__post_init__()
        require(not self.download, "dataset.download", f"has no effect with dataset={self.name}")
        for role, view in self.views.items():
            view.check(f"dataset.views.{role}")

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(self.views)

    def seen(self, item: Item, role: str) -> Item:
        return item
