"""DINO: features from images alone; a student that sees crops matches a teacher that sees most of the image.

Paper: Caron et al. 2021 (2104.14294); KoLeo and Sinkhorn-Knopp as in DINOv2 (2304.07193).
Idea: cross-entropy of prototype assignments, ``- sum_k P_t log P_s``, between every crop of the student and every
global crop of the teacher but the same one; the teacher's are centred and sharpened, against collapse either way.
Asymmetry: averaged weights, and a wider view. The teacher is an exponential moving average of the student and sees the
global crops alone.
Use when: there are no labels, and features are wanted.
Expect: k-NN better by 5 to 11 points than on features of an untrained network, by 0 to 4 than on raw pixels, which suit
centred images (55,000 images of Fashion-MNIST, 11 epochs).
Watch for: the loss says nothing of quality, k-NN accuracy does; compare it with raw pixels and the untrained network,
which are evaluated beside it; few prototypes in use, which neither loss nor entropy of the targets shows.
Try: ``sdrun method=dino``
``sdrun experiment=dino_fashion_mnist``
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import (
    Control,
    MethodSettings,
    MomentumSchedule,
    Situation,
    require_positive,
    require_range,
    require_range_or_auto,
)


class Centring(Enum):
    centre = "centre"
    sinkhorn = "sinkhorn"


class OnCollapse(Enum):
    warn = "warn"
    stop = "stop"


@dataclass(frozen=True)
class Sizes:
    """The settings that may be ``auto``, as numbers."""

    out_dim: int
    teacher_temperature: float
    teacher_temperature_start: float
    momentum: float


@dataclass
class DINOSettings(MethodSettings):
    """``out_dim`` counts prototypes, which stay as they are for the first ``freeze_prototypes`` epochs.

    The teacher's temperature rises from its start over the share ``teacher_temperature_rise`` of the steps. Where a
    value may be ``auto``, ``sizes`` says what it becomes.
    """

    situation: ClassVar[Situation | None] = Situation.no_labels
    takes: ClassVar[str | None] = "images"
    uses_labels: ClassVar[bool] = False
    needs: ClassVar[str | None] = "categorical"

    global_crops: int
    local_crops: int
    out_dim: int | str
    hidden_dim: int
    bottleneck_dim: int
    freeze_prototypes: float
    centring: Centring
    centre_momentum: float
    student_temperature: float
    teacher_temperature: int | float | str
    teacher_temperature_start: int | float | str
    teacher_temperature_rise: float
    momentum: int | float | str
    momentum_schedule: MomentumSchedule
    koleo: float
    on_collapse: OnCollapse = field(metadata={"root": True})

    def __post_init__(self) -> None:
        require_range("method.global_crops", self.global_crops, 1)
        require_range("method.local_crops", self.local_crops, 0)
        require(
            self.global_crops + self.local_crops > 1,
            "method.local_crops",
            "leaves one crop alone, which has no other to match; ask for more",
        )
        for key, low, high in (
            ("out_dim", 2, float("inf")),
            ("teacher_temperature", 0.005, float("inf")),
            ("teacher_temperature_start", 0.005, float("inf")),
            ("momentum", 0, 1),
        ):
            require_range_or_auto(f"method.{key}", getattr(self, key), low, high)
        start, end = self.teacher_temperature_start, self.teacher_temperature
        if not isinstance(start, str) and not isinstance(end, str):
            require(start <= end, "method.teacher_temperature_start", f"must be at most teacher_temperature={end:g}")
        for key in ("hidden_dim", "bottleneck_dim"):
            require_range(f"method.{key}", getattr(self, key), 1)
        require_positive("method.student_temperature", self.student_temperature)
        require_range("method.freeze_prototypes", self.freeze_prototypes, 0)
        require_range("method.centre_momentum", self.centre_momentum, 0, 1)
        require_range("method.teacher_temperature_rise", self.teacher_temperature_rise, 0, 1)
        require_range("method.koleo", self.koleo, 0)

    @property
    def controls(self) -> tuple[Control, ...]:
        return (Control.shuffled, Control.random)

    @property
    def roles(self) -> tuple[str, ...]:
        return ("global", "local") if self.local_crops else ("global",)

    def sizes(self, num_images: int) -> Sizes:
        """The numbers of the settings, and what ``auto`` becomes on so many training images."""
        is_small = num_images <= 100_000
        sizes = {2_000: 256, 20_000: 1024, 50_000: 2048, 100_000: 4096, 200_000: 16384}
        out_dim = next((size for most, size in sizes.items() if num_images <= most), 65536)
        temperature = _unless_auto(self.teacher_temperature, 0.04 if is_small else 0.07)
        return Sizes(
            out_dim=out_dim if isinstance(self.out_dim, str) else self.out_dim,
            teacher_temperature=temperature,
            teacher_temperature_start=_unless_auto(
                self.teacher_temperature_start, min(0.02 if is_small else 0.04, temperature)
            ),
            momentum=_unless_auto(self.momentum, 0.99 if is_small else 0.996),
        )

    def resolved(self, num_items: int) -> dict[str, int | float]:
        return vars(self.sizes(num_items))


def _unless_auto(value: float | str, choice: float) -> float:
    return choice if isinstance(value, str) else value
