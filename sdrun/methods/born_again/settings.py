"""Born-again networks: each generation learns from the ones before it.

Paper: Furlanello et al. 2018 (1805.04770).
Idea: generation 0 trains on labels; generation k starts afresh with the same architecture and matches its teacher as
well: ``(1 - alpha) CE(z, y) + alpha D(z, z_teacher)``.
Asymmetry: older weights. The teacher is frozen: generation k - 1, or the ensemble of all earlier generations.
Watch for: the gain is the size of seed noise, so use several paired seeds; its honest controls are label smoothing, a
baseline stopped in time, one trained for the same total compute, and for the ensemble as many independent networks.
"""

from dataclasses import dataclass, field
from enum import Enum

from sdrun.settings import MethodSettings, require_positive, require_range


class BornAgainLoss(Enum):
    """The paper's forms of D: soft labels, and its two probes into what of them helps."""

    kd = "kd"
    cwtm = "cwtm"
    dkpp = "dkpp"


class Whom(Enum):
    """Whom a generation learns from."""

    last = "last"
    ensemble = "ensemble"


@dataclass
class BornAgainSettings(MethodSettings):
    """``generations`` (a key of the root) counts generation 0.

    ``alpha`` is the weight of the teacher's term, any number: above 1 is best under heavy label noise (2301.13304),
    below 0 where the student is regularised too much (2602.17565).
    """

    objective: BornAgainLoss
    alpha: float
    temperature: float
    teacher: Whom
    generations: int = field(metadata={"root": True})

    def __post_init__(self) -> None:
        require_range("generations", self.generations, 1)
        require_positive("method.temperature", self.temperature)

    @property
    def roles(self) -> tuple[str, ...]:
        return ("weak",)
