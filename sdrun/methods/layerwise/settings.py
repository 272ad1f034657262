"""Layer-wise self-distillation: the deepest layer teaches the shallow ones in the same forward pass.

Paper: Zhang et al. 2019, "Be your own teacher" (1905.08094).
Idea: exits leave the backbone at some taps; ``CE(z_C, y) + sum_i [exit_ce CE(z_i, y) + alpha kd(z_i, z_C, T) + beta
|F_i - F_C|^2]`` over the shallow exits i, where F are features that a bottleneck has brought to one shape.
Asymmetry: depth. The targets are the deepest exit's, or the ensemble's, of the same forward pass, detached.
Use when: easy items should be answered early.
Expect: less compute, no accuracy: 60 % of the multiply-adds for answers as good as the deepest exit's, which is no
better than a network without exits: -0.4 points [-1.1, +0.4] (ResNet-20, 5,000 images of Fashion-MNIST).
Watch for: exits take capacity from the deepest one on small networks; compare it with ``method=supervised`` on the same
backbone, and with ``method.num_detached``, which leaves the backbone alone; an ensemble is no single network.
Try: ``sdrun method=layerwise``
``sdrun -m method=layerwise,supervised model=resnet20 seed=0,1,2``
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from sdrun.errors import require
from sdrun.methods.layerwise.exits import ExitPolicySettings
from sdrun.settings import CONTROLS, Control, MethodSettings, Situation, require_positive, require_range

MOST_EXITS = 4


class Whom(Enum):
    """Whose logits the shallow exits learn."""

    deepest = "deepest"
    ensemble = "ensemble"


class Hint(Enum):
    """The distance of features: summed squares, mean over the batch; or the norm of the difference of all features
    together, which are those of one rank's accumulated part.
    """

    squared = "squared"
    norm = "norm"


@dataclass
class LayerwiseSettings(MethodSettings):
    """The weights are those of the loss above.

    ``exits``: how many, the deepest counted, evenly spaced over the taps, None being one at each tap, four at most; or
    the taps of the shallow ones by name.
    ``num_detached``: of these, from the shallowest on, how many send no gradient into the backbone. ``exit_ce``: None
    for 1 - alpha.
    """

    situation: ClassVar[Situation | None] = Situation.early_exit
    needs: ClassVar[str | None] = "categorical"
    free_after_training: ClassVar[tuple[str, ...]] = ("method.exit_policy.",)

    exits: Any
    num_detached: int
    teacher: Whom
    alpha: float
    temperature: float
    exit_ce: float | None
    beta: float
    hint: Hint
    exit_policy: ExitPolicySettings

    def __post_init__(self) -> None:
        is_count = isinstance(self.exits, int) and not isinstance(self.exits, bool)
        is_names = isinstance(self.exits, list) and bool(self.exits) and all(isinstance(n, str) for n in self.exits)
        is_known = self.exits is None or is_count or is_names
        require(is_known, "method.exits", "needs a number, or a list of taps such as [stage_1,stage_2]")
        for key in ("alpha", "exit_ce", "beta"):
            require_range(f"method.{key}", getattr(self, key), 0)
        require_positive("method.temperature", self.temperature)
        is_taught = self.alpha > 0 or self.teacher is Whom.deepest
        require(is_taught, "method.teacher", "has no effect with method.alpha=0; set it to deepest")
        trains = self.alpha + self.label_weight > 0
        require(trains, "method.alpha", "is 0 and so is method.exit_ce, which leaves the exits untrained; raise one")
        hints = self.beta > 0 or self.hint is Hint.squared
        require(hints, "method.hint", "has no effect with method.beta=0; set that too, or this to squared")

    @property
    def label_weight(self) -> float:
        """Weight of the labels at each shallow exit."""
        return max(0.0, 1 - self.alpha) if self.exit_ce is None else self.exit_ce

    def check(self, taps: list[str], val_size: int) -> None:
        """Raise InputError where exits do not suit a backbone with these taps, or no validation split is there."""
        num = len(self.taps(taps))
        require_range("method.num_detached", self.num_detached, 0, num)
        policy = self.exit_policy
        for key, expected in (("thresholds", num), ("temperatures", num + 1)):
            numbers = getattr(policy, key)
            fits = numbers is None or len(numbers) == expected
            require(fits, f"method.exit_policy.{key}", f"needs {expected} numbers, but has {len(numbers or [])}")
        require(
            val_size > 0 or (policy.thresholds is not None and policy.temperatures is not None),
            "method.exit_policy",
            "is found on validation; make dataset.val_size larger than 0, or give thresholds and temperatures",
        )

    def taps(self, names: list[str]) -> list[str]:
        """Where the shallow exits leave, of the taps of a backbone. Raises InputError where it has no such."""
        require(bool(names), "model.name", "this model has no taps for exits to leave at; sdrun taps shows which has")
        if isinstance(self.exits, list):
            for tap in self.exits:
                require(tap in names[:-1], "method.exits", f"{tap} is not among {', '.join(names[:-1])}")
            chosen = sorted(set(self.exits), key=names.index)
            require(chosen == self.exits, "method.exits", f"needs each tap once, shallow to deep: [{','.join(chosen)}]")
            return chosen
        most = len(names)
        require(
            most > 1, "method.exits", "needs a model of two stages or blocks, for the last one has the deepest exit"
        )
        num = min(most, MOST_EXITS) if self.exits is None else self.exits
        require_range("method.exits", num, 2, most)
        return [names[(2 * place * most + num) // (2 * num) - 1] for place in range(1, num)]

    @property
    def controls(self) -> tuple[Control, ...]:
        of_features = (Control.shuffled, Control.random, Control.shuffled_in_class)
        return of_features if self.beta else CONTROLS

    @property
    def roles(self) -> tuple[str, ...]:
        return ("weak",)
