"""Settings of bags of words."""

from dataclasses import dataclass

from sdrun.settings import DatasetSettings, Item, require_range


@dataclass
class BagsSettings(DatasetSettings):
    """``forgotten``: share of the different words of a bag that its weak view lacks."""

    forgotten: float

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("dataset.forgotten", self.forgotten, 0, 1)

    @property
    def roles(self) -> tuple[str, ...]:
        return ("weak",)

    def seen(self, item: Item, role: str) -> Item:
        return item
