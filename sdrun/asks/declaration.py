"""What an ask is made of: how both sides are tuned, and which methods come into question."""

from dataclasses import asdict, dataclass
from typing import Any

from sdrun.asks.goals import YARDSTICKS, Goal, Yardstick
from sdrun.choices import choices
from sdrun.errors import require
from sdrun.settings import Situation
from sdrun.settings.checks import require_range
from sdrun.sweeps.declared import KEY, declared, require_lengths

PLAIN = "plain"
"""The side without a teacher."""


@dataclass
class Candidate:
    """A method that comes into question. A list of overrides is what it adds to the command line.

    ``situations``: names of those in which it does; ``knobs``: settings that are tuned beside those of both sides.
    ``silent`` takes its teacher's weight away; with ``uninformed`` the teacher knows nothing of the sample; None where
    that makes no sense. ``pretrain``: a run from whose network it starts. ``wider``: how many times as wide as the
    model a teacher is that is trained first.
    """

    method: list[str]
    situations: list[str]
    knobs: Any
    silent: list[str] | None
    uninformed: list[str] | None
    pretrain: list[str] | None = None
    wider: float | None = None

    def __post_init__(self) -> None:
        names = [situation.name for situation in Situation]
        for name in self.situations:
            require(name in names, f"{KEY}.candidates", f"{name} is no situation; there are {', '.join(names)}")

    def suits(self, situations: set[Situation]) -> bool:
        return any(Situation[name] in situations for name in self.situations)


@dataclass
class Asked:
    """``compare``: candidates by name, None for those that the situation suggests; a method that is none has no knobs.

    A side is tuned by at most ``trials`` combinations of ``grid``, of ``scaled`` in multiples of what is set, and of
    its own knobs, on at most all ``tuning_seeds``; of the trials at one of ``lengths``, in multiples of the command
    line's, one of ``halving`` goes on to the next. What is chosen runs on paired seeds: ``seeds`` of them at the first
    look, and at most ``most_seeds``.
    """

    goal: Goal
    compare: list[str] | None
    seeds: int
    most_seeds: int
    tuning_seeds: list[int]
    trials: int
    halving: int
    lengths: list[float]
    val_size: int | None
    grid: Any
    scaled: Any
    candidates: dict[str, Candidate]

    def __post_init__(self) -> None:
        require_range(f"{KEY}.seeds", self.seeds, 3)
        require_range(f"{KEY}.most_seeds", self.most_seeds, self.seeds)
        require_range(f"{KEY}.trials", self.trials, 1)
        require_range(f"{KEY}.halving", self.halving, 2)
        require_range(f"{KEY}.val_size", self.val_size, 1)
        is_apart = bool(self.tuning_seeds) and not set(self.tuning_seeds) & set(range(self.most_seeds))
        require(is_apart, f"{KEY}.tuning_seeds", f"needs some, which are none of 0 to {self.most_seeds - 1}")
        require_lengths(self.lengths)
        methods = choices("method")
        for name in self.compare or ():
            there = f"is no method; there are {', '.join(dict.fromkeys([*self.candidates, *methods]))}"
            require(name in self.candidates or name in methods, "--compare", f"{name} {there}")

    @property
    def yardstick(self) -> Yardstick:
        return YARDSTICKS[self.goal]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "goal": self.goal.value}

    def candidate(self, name: str) -> Candidate:
        """One of these, or of a method that nothing more is known of."""
        return self.candidates.get(name) or Candidate([f"method={name}"], [], {}, None, ["control=shuffled"])


def asked(values: dict[str, Any]) -> Asked:
    """What these values ask. Raises InputError where they do not hold together."""
    goals = [goal.value for goal in Goal]
    require(
        values["goal"] in goals, "--goal", f"{values['goal']} is none; choose {', '.join(goals[:-1])} or {goals[-1]}"
    )
    return declared(Asked, values)
