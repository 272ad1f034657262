"""Typed settings that all runs share: names, types, units, checks. Values live in ``conf/``. Imports no torch."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sdrun.errors import require


def require_range(key: str, value: float | None, low: float, high: float = float("inf")) -> None:
    """Raise InputError unless ``low <= value <= high``; None passes."""
    if value is not None:
        bounds = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        require(low <= value <= high, key, f"must be {bounds}, but is {value:g}")


def require_positive(key: str, value: float | None) -> None:
    """Raise InputError unless ``value > 0``; None passes."""
    if value is not None:
        require(value > 0, key, f"must be above 0, but is {value:g}")


# Views and data -----------------------------------------------------------------------------------------------------


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


# Models -------------------------------------------------------------------------------------------------------------


@dataclass
class CNNSettings:
    """A small residual CNN on half the resolution."""

    name: str
    architecture: str
    widths: list[int]
    depth: int

    def __post_init__(self) -> None:
        require(bool(self.widths) and min(self.widths) > 0, "model.widths", "needs at least one width, each above 0")
        require_range("model.depth", self.depth, 0)

    def check_images(self, size: int) -> None:
        require(
            (size + 1) // 2 >= 2 ** (len(self.widths) - 1),
            "model.widths",
            f"has more stages than {size}x{size} images can be halved; use fewer",
        )


@dataclass
class ResNetSettings:
    """ResNet of basic blocks with a stem for small images."""

    name: str
    architecture: str
    widths: list[int]
    depths: list[int]

    def __post_init__(self) -> None:
        require(bool(self.widths) and min(self.widths) > 0, "model.widths", "needs at least one width, each above 0")
        require(
            len(self.depths) == len(self.widths) and min(self.depths) > 0,
            "model.depths",
            f"needs one number of blocks above 0 for each of the {len(self.widths)} widths",
        )

    def check_images(self, size: int) -> None:
        """Strided convolutions work at any size."""


@dataclass
class ViTSettings:
    """Vision transformer with a class token."""

    name: str
    architecture: str
    patch_size: int
    width: int
    depth: int
    heads: int
    mlp_ratio: float

    def __post_init__(self) -> None:
        for key in ("patch_size", "width", "depth", "heads"):
            require_range(f"model.{key}", getattr(self, key), 1)
        require_positive("model.mlp_ratio", self.mlp_ratio)
        require(self.width % self.heads == 0, "model.heads", f"must divide model.width={self.width}")

    def check_images(self, size: int) -> None:
        require(size % self.patch_size == 0, "model.patch_size", f"must divide the image size {size}")


MODELS: dict[str, type] = {"cnn": CNNSettings, "resnet": ResNetSettings, "vit": ViTSettings}


# Optimisation -------------------------------------------------------------------------------------------------------


class Schedule(Enum):
    constant = "constant"
    cosine = "cosine"
    one_cycle = "one_cycle"


class Select(Enum):
    last = "last"
    best = "best"


@dataclass
class OptimSettings:
    """How one stage is trained, whatever the optimiser. ``epochs`` and ``max_steps`` are per stage."""

    name: str
    epochs: int
    max_steps: int | None
    batch_size: int
    lr: float
    weight_decay: float
    schedule: Schedule
    warmup: float
    clip_norm: float | None
    accumulate: int
    evaluate_every: int
    select: Select
    early_stop: int | None

    def __post_init__(self) -> None:
        for key in ("epochs", "max_steps", "batch_size", "accumulate", "evaluate_every", "early_stop"):
            require_range(f"optim.{key}", getattr(self, key), 1)
        require_positive("optim.lr", self.lr)
        require_range("optim.weight_decay", self.weight_decay, 0)
        require_range("optim.warmup", self.warmup, 0, 1)
        require_positive("optim.clip_norm", self.clip_norm)
        require(
            self.batch_size % self.accumulate == 0,
            "optim.accumulate",
            f"must divide optim.batch_size={self.batch_size}",
        )


@dataclass
class SGDSettings(OptimSettings):
    """SGD with Nesterov momentum."""

    momentum: float

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("optim.momentum", self.momentum, 0, 1)


@dataclass
class AdamWSettings(OptimSettings):
    """Adam with decoupled weight decay."""

    betas: list[float]

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas),
            "optim.betas",
            "needs two numbers from 0 to below 1",
        )


OPTIMS: dict[str, type] = {"sgd": SGDSettings, "adamw": AdamWSettings}


# Hardware and the run itself ----------------------------------------------------------------------------------------


class Device(Enum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class Precision(Enum):
    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"


@dataclass
class HardwareSettings:
    """Where and how the numbers are computed. What ``auto`` became stands in the run's ``config.yaml``."""

    name: str
    device: Device
    threads: int | None
    precision: Precision
    channels_last: bool | None
    compile: bool

    def __post_init__(self) -> None:
        require_range("hardware.threads", self.threads, 1)


@dataclass
class Settings:
    """One run. ``method`` is the settings class of the chosen method, and so for the other groups."""

    seed: int
    log_every: int
    checkpoint_seconds: float
    method: Any
    model: Any
    dataset: DatasetSettings
    optim: OptimSettings
    hardware: HardwareSettings

    def __post_init__(self) -> None:
        require_range("seed", self.seed, 0)
        require_range("log_every", self.log_every, 1)
        require_range("checkpoint_seconds", self.checkpoint_seconds, 0)

    def check_data(self, channels: int, size: int, num_train: int, num_ranks: int) -> None:
        """Raise InputError where settings do not fit the data, ``num_train`` images [channels, size, size]."""
        data = self.dataset
        for key in ("mean", "std"):
            require(len(getattr(data, key)) == channels, f"dataset.{key}", f"needs {channels} numbers, one a channel")
        left = num_train - data.val_size
        require(left > 0, "dataset.val_size", f"leaves nothing of {num_train} training images; make it smaller")
        parts = num_ranks * self.optim.accumulate
        require_range("dataset.train_size", data.train_size, parts, left)
        split = f"{num_ranks} ranks, each in {self.optim.accumulate} accumulated parts"
        require(self.optim.batch_size % parts == 0, "optim.batch_size", f"must be a multiple of {parts}: {split}")
        data.views.weak.check("dataset.views.weak", channels, size)
        self.model.check_images(size)
        if data.val_size == 0:
            require(
                self.optim.select is Select.last and self.optim.early_stop is None,
                "dataset.val_size",
                "optim.select=best and optim.early_stop need a validation split; make it larger than 0",
            )
