"""Settings of the machine."""

from dataclasses import dataclass
from enum import Enum

from sdrun.settings.checks import require_range


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
