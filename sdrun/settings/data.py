"""Settings of views and datasets."""

from dataclasses import dataclass
from enum import Enum

from sdrun.errors import require
from sdrun.settings.checks import require_range


@dataclass
class ViewSettings:
    """Augmentations of one view; every sample has a draw of its own. Zero or false turns one off."""

    flip: bool
    crop: int
    rotate: float
    translate: float
    scale: float
    cutout: float
    brightness: float
    contrast: float
    saturation: float
    hue: float

    def check(self, key: str, channels: int, size: int) -> None:
        """Raise InputError where a value is out of range or has no effect on images of this kind."""
        require_range(f"{key}.crop", self.crop, 0, size // 2)
        require_range(f"{key}.rotate", self.rotate, 0, 180)
        require_range(f"{key}.hue", self.hue, 0, 0.5)
        for name in ("translate", "cutout", "brightness", "contrast", "saturation"):
            require_range(f"{key}.{name}", getattr(self, name), 0, 1)
        require_range(f"{key}.scale", self.scale, 0, 0.9)
        if channels == 1:
            for name in ("saturation", "hue"):
                require(getattr(self, name) == 0, f"{key}.{name}", "has no effect on grey images; set it to 0")


@dataclass
class ViewRoles:
    """The views by role."""

    weak: ViewSettings


class NoiseKind(Enum):
    symmetric = "symmetric"
    pair = "pair"


@dataclass
class DatasetSettings:
    """Where images come from, which of them train, and how they are seen."""

    name: str
    root: str | None
    download: bool
    train_size: int | None
    val_size: int
    label_noise: float
    label_noise_kind: NoiseKind
    seed: int
    mean: list[float]
    std: list[float]
    views: ViewRoles

    def __post_init__(self) -> None:
        require_range("dataset.train_size", self.train_size, 1)
        require_range("dataset.val_size", self.val_size, 0)
        require_range("dataset.label_noise", self.label_noise, 0, 1)
        require_range("dataset.seed", self.seed, 0)
        require(
            self.label_noise > 0 or self.label_noise_kind is NoiseKind.symmetric,
            "dataset.label_noise_kind",
            "has no effect without dataset.label_noise; set that too, or leave this out",
        )
        if self.name == "digits":
            require(self.root is None and not self.download, "dataset.root", "has no effect with the embedded digits")
        require(all(value > 0 for value in self.std), "dataset.std", "must be above 0 for every channel")
