"""Layer-wise self-distillation: the deepest layer teaches the shallow ones in the same forward pass.

Paper: Zhang et al. 2019, "Be your own teacher" (1905.08094).
Idea: exits leave the backbone at some taps; ``CE(z_C, y) + sum_i [exit_ce CE(z_i, y) + alpha kd(z_i, z_C, T) + beta
|F_i - F_C|^2]`` over the shallow exits i, where F are features that a bottleneck has brought to one shape.
Asymmetry: depth. The targets are the deepest exit's, or the ensemble's, of the same forward pass, detached.
Watch for: exits take capacity from the deepest one on small networks; compare it with ``method=supervised`` on the same
backbone, and with ``method.num_detached``, which leaves the backbone alone; an ensemble is no single network.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sdrun.errors import require
from sdrun.settings import AUTO, ExitPolicySettings, require_positive, require_range, require_range_or_auto

MOST_EXITS = 4


class Preset(Enum):
    default = "default"
    plain = "plain"
    byot = "byot"


class Teacher(Enum):
    deepest = "deepest"
    ensemble = "ensemble"


class Hint(Enum):
    """The distance of features: summed squares, mean over the batch; or the norm of the difference of all features
    together, which are those of one rank's accumulated part.
    """

    auto = "auto"
    squared = "squared"
    norm = "norm"


PRESETS: dict[Preset, dict[str, Any]] = {
    Preset.default: {"alpha": 0.3, "temperature": 3.0, "exit_ce": AUTO, "beta": 0.01, "hint": "squared"},
    Preset.plain: {"alpha": 0.3, "temperature": 4.0, "exit_ce": 0.0, "beta": 0.0, "hint": "squared"},
    Preset.byot: {"alpha": 0.3 / 9, "temperature": 3.0, "exit_ce": 0.7, "beta": 0.03, "hint": "norm"},
}
"""Factors of distillation against ``kd``: ``default`` and ``plain`` 1; ``byot``, the authors' weights, 1/9, as their
code has no T^2; its hints are at every shallow exit. ``plain`` is often written with a mean over all elements and no
T^2, which is 1/(16 K) of it: nearly nothing.
"""


@dataclass
class Settings:
    """Every ``auto`` is the preset's; ``resolve`` says what it becomes.

    ``exits``: how many, the deepest counted, evenly spaced over the taps, None being one at each tap, four at most; or
    the taps of the shallow ones by name.
    ``num_detached``: of these, from the shallowest on, how many send no gradient into the backbone.
    """

    name: str
    preset: Preset
    exits: Any
    num_detached: int
    teacher: Teacher
    alpha: int | float | str
    temperature: int | float | str
    exit_ce: int | float | str
    beta: int | float | str
    hint: Hint
    exit_policy: ExitPolicySettings

    def __post_init__(self) -> None:
        is_count = isinstance(self.exits, int) and not isinstance(self.exits, bool)
        is_names = isinstance(self.exits, list) and bool(self.exits) and all(isinstance(n, str) for n in self.exits)
        is_known = self.exits is None or is_count or is_names
        require(is_known, "method.exits", "needs a number, or a list of taps such as [stage_1,stage_2]")
        for key in ("alpha", "temperature", "exit_ce", "beta"):
            require_range_or_auto(f"method.{key}", getattr(self, key), 0)
        if self.temperature != AUTO:
            require_positive("method.temperature", float(self.temperature))
        values = self.resolve()
        is_taught = values["alpha"] > 0
        softens = self.temperature not in (AUTO, PRESETS[self.preset]["temperature"])
        require(is_taught or not softens, "method.temperature", "has no effect with method.alpha=0; leave it out")
        is_deepest = self.teacher is Teacher.deepest
        require(is_taught or is_deepest, "method.teacher", "has no effect with method.alpha=0; leave it out")
        trains = values["exit_ce"] + values["alpha"] > 0
        require(trains, "method.alpha", "is 0 and so is method.exit_ce, which leaves the exits untrained; raise one")
        require(
            values["beta"] > 0 or self.hint is Hint.auto or self.hint.value == PRESETS[self.preset]["hint"],
            "method.hint",
            "has no effect with method.beta=0; set that too, or leave this out",
        )

    def resolve(self, num_images: int = 0) -> dict[str, Any]:
        """What every ``auto`` becomes, whatever the number of images."""
        preset = PRESETS[self.preset]
        values = {key: getattr(self, key) for key in preset} | {"hint": self.hint.value}
        values = {key: preset[key] if value == AUTO else value for key, value in values.items()}
        if values["exit_ce"] == AUTO:
            values["exit_ce"] = max(0.0, 1 - values["alpha"])
        return values

    def check(self, taps: list[str], val_size: int) -> None:
        """Raise InputError where exits do not suit a backbone with these taps, or no validation split is there."""
        num = len(self.taps(taps))
        require_range("method.num_detached", self.num_detached, 0, num)
        policy = self.exit_policy
        for key, expected in (("thresholds", num), ("temperatures", num + 1)):
            given = getattr(policy, key)
            require(
                given is None or len(given) == expected,
                f"method.exit_policy.{key}",
                f"needs {expected} numbers, but has {len(given or [])}",
            )
        require(
            val_size > 0 or (policy.thresholds is not None and policy.temperatures is not None),
            "method.exit_policy",
            "is found on validation; make dataset.val_size larger than 0, or give thresholds and temperatures",
        )

    def taps(self, known: list[str]) -> list[str]:
        """Where the shallow exits leave, of the taps of a backbone. Raises InputError where it has no such."""
        if isinstance(self.exits, list):
            for tap in self.exits:
                require(tap in known[:-1], "method.exits", f"{tap} is not among {', '.join(known[:-1])}")
            chosen = sorted(set(self.exits), key=known.index)
            require(chosen == self.exits, "method.exits", f"needs each tap once, shallow to deep: [{','.join(chosen)}]")
            return chosen
        most = len(known)
        require(
            most > 1, "method.exits", "needs a model of two stages or blocks, for the last one has the deepest exit"
        )
        num = min(most, MOST_EXITS) if self.exits is None else self.exits
        require_range("method.exits", num, 2, most)
        return [known[(2 * place * most + num) // (2 * num) - 1] for place in range(1, num)]

    @property
    def roles(self) -> tuple[str, ...]:
        """The views that this method asks for."""
        return ("weak",)
