"""Born-again networks: each generation learns from the ones before it.

Paper: Furlanello et al. 2018 (1805.04770).
Idea: generation 0 trains on labels; generation k starts afresh with the same architecture and matches its teacher as
well: ``(1 - alpha) CE(z, y) + alpha D(z, z_teacher)``.
Asymmetry: older weights. The teacher is frozen: generation k - 1, or the ensemble of all earlier generations.
Use when: some labels are wrong, or several networks are to be averaged anyway.
Expect: where labels are wrong, theory has a gain (2301.13304); none over a tuned baseline was shown here. Where all are
right, nothing: +0.1 points [-0.5, +0.7], both sides tuned, for 3.7 times the compute (1,000 images of Fashion-MNIST).
Watch for: the gain is the size of seed noise, so use several paired seeds; its honest controls are label smoothing, a
baseline stopped in time, one trained for the same total compute, and for the ensemble as many independent networks.
Try: ``sdrun method=born_again generations=3``
``sdrun -m method=born_again,supervised dataset.label_noise=0.3 seed=0,1,2``
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import CONTROLS, Control, MethodSettings, Situation, require_positive, require_range, require_view

HOTTEST = 100
"""The temperature up to which a label of probability 0 has it, see ``losses.distillation``."""


class BornAgainLoss(Enum):
    """The paper's forms of D: soft labels, and its two probes into what of them helps."""

    kd = "kd"
    cwtm = "cwtm"
    dkpp = "dkpp"


class Targets(Enum):
    """What is made of the teacher's answer: its probabilities, or its one or two most likely labels alone."""

    soft = "soft"
    hard = "hard"
    top2 = "top2"


class Whom(Enum):
    """Whom a generation learns from."""

    last = "last"
    ensemble = "ensemble"


@dataclass
class BornAgainSettings(MethodSettings):
    """``generations`` (a key of the root) counts generation 0.

    ``alpha`` is the weight of the teacher's term, any number: above 1 is best under heavy label noise (2301.13304),
    below 0 where the student is regularised too much (2602.17565). Outside of 0 to 1 the loss has no lower bound where
    label and teacher differ, so a student grows ever surer: look at its NLL, and stop it in time.

    ``targets`` hard or top2 are for label noise (2501.16226, 2402.10482); ``temperature`` softens the student alone
    then. The two of two classes say nothing.

    ``view``: what student and teacher see; ``label_smoothing``: share of the labels spread evenly over all classes.
    """

    situation: ClassVar[Situation | None] = Situation.wrong_labels

    objective: BornAgainLoss
    alpha: float
    targets: Targets
    temperature: float
    teacher: Whom
    view: str
    label_smoothing: float
    generations: int = field(metadata={"root": True})

    def __post_init__(self) -> None:
        require_range("generations", self.generations, 1)
        require_positive("method.temperature", self.temperature)
        require_view("method.view", self.view)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        is_kd, targets = self.objective is BornAgainLoss.kd, self.targets
        needed = (
            f"{targets.value} needs method.objective=kd, for {self.objective.value} is of soft ones; set it to soft"
        )
        require(is_kd or targets is Targets.soft, "method.targets", needed)
        if targets is not Targets.soft:
            require_range("method.temperature", self.temperature, 0, HOTTEST)

    @property
    def controls(self) -> tuple[Control, ...]:
        """Hard targets know no more than a class already, and the two of top2 must be told from the others."""
        refused = {Targets.hard: CONTROLS[2:], Targets.top2: (Control.constant, Control.hard)}.get(self.targets, ())
        return tuple(control for control in CONTROLS if control not in refused)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(f"generation_{generation}" for generation in range(self.generations))
