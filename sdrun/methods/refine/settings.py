"""Refine: labels that may be wrong, held against what models believe that never saw them, and learned from anew.

Paper: Northcutt et al. 2021 (1911.00068) ask models that did not see an item; by anchor points (1609.03683) it is told
what labels make of classes; a student learns ``(1 - alpha) y + alpha p`` (2301.13304), or what else is made of both.
Idea: the items are parted into folds; of each, a model that learned from the others says what it believes. From given
labels and beliefs come refined ones, from which a student learns afresh, and so on for some rounds.
Asymmetry: a held-out view. The belief about an item is of a model that did not see its label.
Use when: some labels are wrong, and somebody wants to know which.
Expect: neither tuned, where 30 % of labels are wrong: +4.2 points [+2.6, +5.7] on the digits, for 1.6 times the
compute. Where a text's label is one rater's word, both sides tuned: not decided, -0.2 points [-1.1, +0.6].
Watch for: beliefs of models that are wrong more often than the labels; ``labels/noise_rate`` of clean labels, which is
what models mistake; a baseline that is stopped in time, smoothed or averaged, which does much of it.
Try: ``sdrun method=refine dataset.label_noise=0.3``
``sdrun -m method=refine,supervised dataset.label_noise=0.4 seed=0,1,2``
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import (
    CONTROLS,
    Control,
    ItemCounts,
    MethodSettings,
    OptimSettings,
    Situation,
    TargetKind,
    require_positive,
    require_range,
    require_view,
)

FOLD = "_fold_"


class Action(Enum):
    """What is made of given labels and beliefs."""

    mix = "mix"
    posterior = "posterior"
    relabel = "relabel"
    top2 = "top2"
    drop = "drop"
    reweight = "reweight"


class Finder(Enum):
    """How wrong labels are told from what models believe."""

    anchors = "anchors"
    confident = "confident"


class Start(Enum):
    """Where the student of a further round begins."""

    afresh = "afresh"
    on = "on"


@dataclass
class RefineSettings(MethodSettings):
    """``alpha`` is the weight of beliefs that are mixed, any number; above 1 is best under heavy noise (2301.13304).

    With one of ``folds`` beliefs are of a model that learned from all items, which is self-training.

    ``belief_length``: of the training of models that say what they believe, as a share of a student's. What is wrong is
    learned last, so they are stopped early (2007.00151).
    """

    situation: ClassVar[Situation | None] = Situation.wrong_labels
    needs: ClassVar[str | None] = "categorical"

    rounds: int
    folds: int
    belief_length: float
    finder: Finder
    action: Action
    alpha: float
    targets: TargetKind
    start: Start
    view: str
    label_smoothing: float
    average: float

    def __post_init__(self) -> None:
        require_range("method.rounds", self.rounds, 1)
        require_range("method.folds", self.folds, 1)
        require_positive("method.belief_length", self.belief_length)
        require_range("method.belief_length", self.belief_length, 0, 1)
        require_view("method.view", self.view)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        require_range("method.average", self.average, 0, 1)
        needless = f"has no effect with method.action={self.action.value}; leave it out"
        takes_kind = self.action in (Action.mix, Action.posterior, Action.relabel)
        same = "is method.action=relabel with method.finder=confident; set one of them to the other"
        is_other = self.action is not Action.posterior or self.finder is Finder.anchors
        require(is_other, "method.action", f"{self.action.value} {same}")
        require(takes_kind or self.targets is TargetKind.soft, "method.targets", needless)
        require(self.action is Action.mix or self.alpha == 1, "method.alpha", needless)
        alone = "has no effect in one round; set method.rounds, or leave it out"
        require(self.rounds > 1 or self.start is Start.afresh, "method.start", alone)

    @property
    def controls(self) -> tuple[Control, ...]:
        return CONTROLS

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(
            name for number in range(1, self.rounds + 1) for name in (*self.folds_of(number), f"round_{number}")
        )

    def folds_of(self, number: int) -> list[str]:
        """The stages of models that say what they believe, in a round."""
        return [f"round_{number}{FOLD}{fold}" for fold in range(self.folds)]

    def optim_of(self, stage: str, optim: OptimSettings) -> OptimSettings:
        if FOLD not in stage:
            return optim
        steps = None if optim.max_steps is None else max(1, round(self.belief_length * optim.max_steps))
        return replace(optim, epochs=max(1, round(self.belief_length * optim.epochs)), max_steps=steps)

    def check_items(self, counts: ItemCounts) -> None:
        """Raise InputError where a class is not in every fold."""
        name, num = counts.rarest
        few = f"is {self.folds}, and {name} has {num} labelled items: no fold may lack it; lower it, or add items"
        require(num >= self.folds, "method.folds", few)
