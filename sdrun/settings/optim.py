"""Settings of optimisers and of how a stage is trained."""

from dataclasses import dataclass
from enum import Enum

from sdrun.errors import require
from sdrun.settings.checks import require_positive, require_range


class Schedule(Enum):
    constant = "constant"
    cosine = "cosine"
    one_cycle = "one_cycle"


class MomentumSchedule(Enum):
    """Of an average of weights, see ``schedules.ema_momentum``."""

    constant = "constant"
    cosine = "cosine"
    bias_free = "bias_free"
    by_length = "by_length"


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
    weight_decay_end: float | None
    schedule: Schedule
    warmup: float
    clip_norm: float | None
    clip_each: float | None
    accumulate: int
    evaluate_every: int
    select: Select
    early_stop: int | None
    class_weights: bool

    def __post_init__(self) -> None:
        for key in ("epochs", "max_steps", "batch_size", "accumulate", "evaluate_every", "early_stop"):
            require_range(f"optim.{key}", getattr(self, key), 1)
        require_positive("optim.lr", self.lr)
        require_range("optim.weight_decay", self.weight_decay, 0)
        require_range("optim.weight_decay_end", self.weight_decay_end, 0)
        require_range("optim.warmup", self.warmup, 0, 1)
        require_positive("optim.clip_norm", self.clip_norm)
        require_positive("optim.clip_each", self.clip_each)
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
