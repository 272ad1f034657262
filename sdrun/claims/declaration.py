"""What a claim declares: two sides that are tuned alike, what is asked of them, and when it is decided."""

import math
from dataclasses import dataclass, field
from typing import Any

from sdrun.errors import require
from sdrun.settings.checks import require_positive, require_range
from sdrun.sweeps.declared import KEY, declared, require_lengths

METHOD, BASELINE, EQUAL = "method", "baseline", "equal"
SILENT, UNINFORMED, LABELS, PRETRAIN = "silent", "uninformed", "labels", "pretrain"
SIDES = (BASELINE, METHOD)


@dataclass
class Contrast:
    """Two arms, each maybe as ``arm:stage``, and the metric by which the left one is held against the right one."""

    left: str
    right: str
    metric: str


@dataclass
class Declaration:
    """One claim. A list of overrides is what an arm adds to the experiment.

    Both sides, ``baseline`` and ``method``, are tuned on ``tuning_seeds`` by ``choose_by``: of all combinations of
    ``grid``, and for the method of ``knobs`` as well, as many as ``trials`` are drawn for each; a setting that is null
    is not tuned. They are trained for
    the first of ``lengths``, in multiples of the experiment's own, and the best of them, one of ``halving``, go on to
    the next. ``silent`` takes the teacher's weight away; with ``uninformed`` the teacher knows nothing of the sample,
    with ``labels`` nothing but its class; None where that makes no sense. ``further``: other arms of the method by
    name, each with a question of its own, whether the method gives more. Where there is a ``pretrain``, ``method``
    starts from its network of the same seed; ``alive`` replaces the question whether ``method`` differs from
    ``silent``, ``beside`` is shown without a verdict.

    ``metric`` decides, on paired seeds that start with ``seeds`` and grow to ``most_seeds``, until a difference is
    shown, or that it is less than ``margin``. ``val_size``: None for as many items as training has labels, at most.
    """

    statement: str
    metric: str
    margin: float
    seeds: int
    most_seeds: int
    tuning_seeds: list[int]
    choose_by: str
    val_size: int | None
    trials: int
    halving: int
    lengths: list[float]
    grid: Any
    knobs: Any
    baseline: list[str]
    method: list[str]
    silent: list[str] | None
    uninformed: list[str] | None
    labels: list[str] | None
    pretrain: list[str] | None
    alive: Contrast | None = None
    further: dict[str, list[str]] = field(default_factory=dict)
    beside: list[Contrast] = field(default_factory=list)

    def __post_init__(self) -> None:
        require_positive(f"{KEY}.margin", self.margin)
        require_range(f"{KEY}.seeds", self.seeds, 3)
        require_range(f"{KEY}.most_seeds", self.most_seeds, self.seeds)
        is_held_out = self.choose_by.startswith("val/")
        require(is_held_out, f"{KEY}.choose_by", "needs a metric of the validation split, such as val/accuracy")
        is_several = len(set(self.tuning_seeds)) == len(self.tuning_seeds) > 0
        require(is_several, f"{KEY}.tuning_seeds", "needs one seed at least, each once")
        is_apart = not set(self.tuning_seeds) & set(range(self.most_seeds))
        paired = f"the paired seeds, which are 0 to {self.most_seeds - 1}"
        require(is_apart, f"{KEY}.tuning_seeds", f"must not be among {paired}")
        require_range(f"{KEY}.val_size", self.val_size, 1)
        require_range(f"{KEY}.halving", self.halving, 2)
        require_lengths(self.lengths)
        _require_axes("grid", self.grid)
        _require_axes("knobs", self.knobs)
        twice = sorted(key for key in self.grid.keys() & self.knobs.keys() if self.knobs[key] is not None)
        require(not twice, f"{KEY}.knobs", f"has {', '.join(twice)} of the grid that both sides share; name it once")
        for side in SIDES:
            most = self.num_combinations(side)
            members = f"must be at most {most}, for the {side} has no more combinations; add values to the grid"
            require(1 <= self.trials <= most, f"{KEY}.trials", members)
        taken = (*SIDES, EQUAL, SILENT, UNINFORMED, LABELS, PRETRAIN)
        for arm in self.further:
            is_name = arm.isidentifier() and arm not in taken
            require(is_name, f"{KEY}.further", f"{arm} is no name for an arm; take another, of letters, digits and _")
        is_asked = self.silent is not None or self.alive is not None
        require(is_asked, f"{KEY}.silent", "is null, and no alive says what else shows that the teacher works")

    def axes(self, side: str) -> dict[str, list[Any]]:
        """The settings that are tuned for a side, with their values."""
        axes = {**self.grid, **(self.knobs if side == METHOD else {})}
        return {key: values for key, values in axes.items() if values is not None}

    @property
    def controls(self) -> dict[str, list[str]]:
        """Further overrides of the arms that take something of the teacher away."""
        arms = {SILENT: self.silent, UNINFORMED: self.uninformed, LABELS: self.labels}
        return {arm: more for arm, more in arms.items() if more is not None} | self.further

    def num_combinations(self, side: str) -> int:
        return math.prod(map(len, self.axes(side).values()))

    def questions(self) -> dict[str, Contrast]:
        """What is asked of the arms, by name; each has a verdict."""
        asked = {"alive": self.alive or Contrast(METHOD, SILENT, self.metric)}
        if self.uninformed is not None:
            asked["informed"] = Contrast(METHOD, UNINFORMED, self.metric)
        if self.labels is not None:
            asked["more_than_labels"] = Contrast(METHOD, LABELS, self.metric)
        return {
            **asked,
            **{more_than(arm): Contrast(METHOD, arm, self.metric) for arm in self.further},
            "helps": Contrast(METHOD, BASELINE, self.metric),
            "equal_compute": Contrast(METHOD, EQUAL, self.metric),
        }


def more_than(arm: str) -> str:
    """The question whether the method gives more than a further arm."""
    return f"more_than_{arm}"


def _require_axes(name: str, axes: Any) -> None:
    """Raise InputError unless these are settings with a list of values each, or null."""
    is_mapping = isinstance(axes, dict)
    require(is_mapping, f"{KEY}.{name}", "needs settings with their values, such as optim.lr: [1, 2]")
    for key, values in axes.items():
        is_list = values is None or (isinstance(values, list) and bool(values))
        require(is_list, f"{KEY}.{name}", f"needs a list of values for {key}, such as [1, 2], or null")


DECIDING = ("helps", "equal_compute")
"""The questions that a claim goes on for."""


def declaration(values: dict[str, Any]) -> Declaration:
    """The claim that these values declare. Raises InputError where they do not hold together."""
    return declared(Declaration, values)
