"""Settings of images and of their views."""

from dataclasses import dataclass

from sdrun.errors import require
from sdrun.settings import CLEAN, ROLES, DatasetSettings, Item, require_interval, require_positive, require_range

MOST_OPERATIONS = 13
"""As many as ``views.randaugment`` has for grey images."""


@dataclass
class ViewSettings:
    """Augmentations of one view; every sample has a draw of its own. Zero or false turns one off."""

    size: int | None
    area: list[float]
    flip: bool
    crop: int
    randaugment: int
    magnitude: float
    rotate: float
    translate: float
    scale: float
    cutout: float
    brightness: float
    contrast: float
    saturation: float
    hue: float
    jitter_chance: float
    grey: float
    blur: float
    blur_sigma: list[float]
    solarise: float

    @property
    def resamples(self) -> bool:
        """Whether pixels are computed anew from a part of the image, at a size of its own, or blurred."""
        return self.size is not None or self.area != [1, 1] or self.blur > 0

    def side(self, size: int) -> int:
        """Pixels of the view's side, for images of ``size``."""
        return self.size or size

    def check(self, key: str) -> None:
        """Raise InputError where a value is out of range."""
        require_range(f"{key}.size", self.size, 1)
        low, high = require_interval(f"{key}.area", self.area)
        require(low > 0 and high <= 1, f"{key}.area", "needs shares above 0 and at most 1")
        low, _ = require_interval(f"{key}.blur_sigma", self.blur_sigma)
        require_positive(f"{key}.blur_sigma", low)
        require(not (self.resamples and self.crop), f"{key}.crop", "has no effect with size, area or blur; set it to 0")
        require_range(f"{key}.crop", self.crop, 0)
        require_range(f"{key}.randaugment", self.randaugment, 0, MOST_OPERATIONS)
        require_range(f"{key}.magnitude", self.magnitude, 0, 1)
        require(
            self.randaugment > 0 or self.magnitude == 1,
            f"{key}.magnitude",
            "has no effect without randaugment; set that too, or leave this out",
        )
        require_range(f"{key}.rotate", self.rotate, 0, 180)
        require_range(f"{key}.hue", self.hue, 0, 0.5)
        for name in ("translate", "cutout", "brightness", "contrast", "saturation"):
            require_range(f"{key}.{name}", getattr(self, name), 0, 1)
        for name in ("jitter_chance", "grey", "blur", "solarise"):
            require_range(f"{key}.{name}", getattr(self, name), 0, 1)
        require_range(f"{key}.scale", self.scale, 0, 0.9)

    def check_images(self, key: str, channels: int, size: int) -> None:
        """Raise InputError where a value does not suit images [channels, size, size]."""
        require_range(f"{key}.crop", self.crop, 0, size // 2)
        if channels == 1:
            for name in ("saturation", "hue", "grey"):
                require(getattr(self, name) == 0, f"{key}.{name}", "has no effect on grey images; set it to 0")


@dataclass
class ImagesSettings(DatasetSettings):
    """``mean`` and ``std``: of the training pixels, a channel, None where they are measured.

    ``views``: how images are seen, by role; ``test_view``: the view through which a copy of the test set is judged too.
    """

    mean: list[float] | None
    std: list[float] | None
    test_view: str | None
    views: dict[str, ViewSettings]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.test_view is not None:
            require(self.test_view in ROLES, "dataset.test_view", f"is not among the views {', '.join(ROLES)}")
        if self.name == "digits":
            require(self.root is None and not self.download, "dataset.root", "has no effect with the embedded digits")
        require(all(value > 0 for value in self.std or []), "dataset.std", "must be above 0 for every channel")
        for role, view in self.views.items():
            view.check(f"dataset.views.{role}")

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(self.views)

    @property
    def further_roles(self) -> dict[str, str]:
        return {} if self.test_view is None else {self.test_view: "dataset.test_view"}

    def check(self, item: Item) -> None:
        channels = item.shape[0]
        for key, values in (("mean", self.mean), ("std", self.std)):
            is_one_each = values is None or len(values) == channels
            require(is_one_each, f"dataset.{key}", f"needs {channels} numbers, one a channel")
        if self.test_view is not None and self.test_view in self.views:
            is_same = self.seen(item, self.test_view) == item
            require(is_same, "dataset.test_view", f"{self.test_view} has another size than the images; choose another")

    def seen(self, item: Item, role: str) -> Item:
        if role == CLEAN:
            return item
        channels, size, _ = item.shape
        view = self.views[role]
        view.check_images(f"dataset.views.{role}", channels, size)
        return Item(item.kind, (channels, view.side(size), view.side(size)))
