"""Continual: one task after another; what was learned before is kept by the network that learned it.

Paper: LwF (1606.09282), DER and DER++ (2004.07211), labels nearest to what a network says already (2509.04259).
Idea: ``CE(new) + stay T^2 KL(before || now)`` on the new task's items, and of a sample of earlier ones that is kept,
``replay CE(kept)`` and ``recall |z - z_kept|^2``; or a new item's target is what the network said before, among the
classes that are right.
Asymmetry: the past. The teacher is the network before the task, or what it said then of the items that are kept.
Use when: a trained network has to learn something new, and must not forget the old.
Expect: kept items count most. Fashion-MNIST two classes at a time: 76.1 % with 200 of them, 74.4 by replay alone (+1.7
[+0.9, +2.5]), 19.9 by fine-tuning, 85.9 by all at once. Where 93 % of digits' parity is learned, own targets keep 54 %
of Fashion-MNIST, all right answers alike 40, one label 21, 500 kept items 79, of 80 (five seeds, nothing tuned).
Watch for: what is new is learned less where more is kept, so compare at one accuracy on the new task, and over rates
and lengths: ``sdrun compare RUNS --frontier``. A smaller rate alone keeps much; replay sees as many kept items a step
as DER++ does, and is the baseline.
Try: ``sdrun method=continual dataset/stream=classes``
``sdrun -m method=continual,continual_replay,continual_plain dataset/stream=classes seed=0,1,2``
"""

import re
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
    StreamSettings,
    TaskSettings,
    require_range,
    require_view,
)

FIRST = re.compile(r"task_0+")
"""The stage that knows nothing yet."""


class Targets(Enum):
    """What is learned of an item of which several classes are right: the first of them, one by chance, all alike, any,
    or what the network said before among them, its probabilities or the likeliest.
    """

    label = "label"
    random = "random"
    uniform = "uniform"
    any = "any"
    own = "own"
    own_hard = "own_hard"


OWN = (Targets.own, Targets.own_hard)


class Scope(Enum):
    """Whose items a task's training sees: its own, or those of all before it too, which is a line above."""

    task = "task"
    all = "all"


class Heads(Enum):
    """Who answers: one head for all classes, or for each task one, as where it is known whose an item is."""

    one = "one"
    each = "each"


@dataclass
class ContinualSettings(MethodSettings):
    """``stay``: weight of the divergence from the network before, at ``temperature``, over the classes that it knew.

    A sample of ``buffer`` items of earlier tasks is kept: for each new item in a batch come ``replayed_ratio`` of them
    with their labels, whose loss has the weight ``replay``, and ``recalled_ratio`` with what was said of them, whose
    mean squared distance has the weight ``recall``. ``level``: of validation items of the newest task, what share has
    to be right before it counts how much of the others is (``val/kept``). ``first_lr``, ``first_epochs``: of the first
    task, None where it is trained as all others are.
    """

    situation: ClassVar[Situation | None] = Situation.tasks
    needs: ClassVar[str | None] = "categorical"
    needs_stream: ClassVar[type[StreamSettings] | None] = TaskSettings
    counts_any: ClassVar[bool] = True

    targets: Targets
    scope: Scope
    stay: float
    temperature: float
    replayed_ratio: int
    replay: float
    recalled_ratio: int
    recall: float
    buffer: int
    heads: Heads
    level: float | None
    first_lr: float | None
    first_epochs: int | None
    view: str
    label_smoothing: float

    def __post_init__(self) -> None:
        for key in ("stay", "replay", "recall", "replayed_ratio", "recalled_ratio"):
            require_range(f"method.{key}", vars(self)[key], 0)
        require(self.temperature > 0, "method.temperature", "must be above 0")
        require_range("method.buffer", self.buffer, 1)
        require_range("method.level", self.level, 0, 1)
        require(self.first_lr is None or self.first_lr > 0, "method.first_lr", "must be above 0")
        require_range("method.first_epochs", self.first_epochs, 1)
        require_view("method.view", self.view)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        for ratio, weight in {"replayed_ratio": "replay", "recalled_ratio": "recall"}.items():
            both = (vars(self)[ratio] > 0) is (vars(self)[weight] > 0)
            require(
                both, f"method.{ratio}", f"and method.{weight} have no effect without each other; set both, or none"
            )
        everything = "has no effect with method.scope=all, which sees all items again; set it to its default"
        require(self.scope is Scope.task or not (self.stay > 0 or self.is_kept), "method.scope", everything)
        is_smooth = self.label_smoothing == 0 or self.targets in (Targets.label, Targets.random, Targets.any)
        require(
            is_smooth, "method.label_smoothing", f"has no effect on method.targets={self.targets.value}; set it to 0"
        )
        is_within = self.label_smoothing == 0 or self.heads is Heads.one
        require(
            is_within, "method.label_smoothing", "spreads over classes of all heads; set it to 0 with method.heads=each"
        )

    @property
    def of_first(self) -> "ContinualSettings":
        """What of these matters before anything was learned, so that methods can share the first task."""
        none = {"stay": 0.0, "replayed_ratio": 0, "replay": 0.0, "recalled_ratio": 0, "recall": 0.0, "level": None}
        nothing = {"targets": Targets.label, "scope": Scope.task, "temperature": 1.0, "buffer": 1}
        return replace(self, **none, **nothing, first_lr=None, first_epochs=None)  # type: ignore[arg-type]

    @property
    def is_kept(self) -> bool:
        """Whether items of earlier tasks are."""
        return self.replayed_ratio > 0 or self.recalled_ratio > 0

    @property
    def asks_before(self) -> bool:
        """Whether the network as it was before a task says anything of its items."""
        return self.stay > 0 or self.targets in OWN

    @property
    def is_taught(self) -> bool:
        """Whether a network of the past says anything of what is learned."""
        return self.asks_before or self.recalled_ratio > 0

    @property
    def knows_tasks(self) -> bool:
        return self.heads is Heads.each

    @property
    def controls(self) -> tuple[Control, ...]:
        if not self.is_taught:
            return ()
        none = (Control.hard,) if self.recalled_ratio else ()  # a class alone has no logits that could be recalled
        return tuple(control for control in CONTROLS if control not in none)

    def check(self, taps: list[str], val_size: int) -> None:
        has_level = self.level is None or val_size > 0
        require(has_level, "method.level", "is one of validation items, and there are none; set dataset.val_size")

    def check_items(self, counts: ItemCounts) -> None:
        for title, num_labelled, num_validated in counts.of_tasks:
            require(num_labelled > 0, "dataset.train_size", f"leaves no label of the task {title!r}; make it larger")
            has_some = num_validated > 0 or not any(num for *_, num in counts.of_tasks)
            require(
                has_some, "dataset.val_size", f"leaves no item of the task {title!r} for validation; make it larger"
            )
        single = "is about items of which several classes are right, and here each has one; set it to label"
        require(counts.most_right > 1 or self.targets is Targets.label, "method.targets", single)
        shared = "is each, and tasks have classes in common; set it to one, or see dataset.stream.flag"
        require(self.heads is Heads.one or counts.are_apart, "method.heads", shared)

    @property
    def is_periodic(self) -> bool:
        return True

    @property
    def stages(self) -> tuple[str, ...]:
        return ()

    def optim_of(self, stage: str, optim: OptimSettings) -> OptimSettings:
        if not FIRST.fullmatch(stage):
            return optim
        if self.first_epochs is not None:
            optim = replace(optim, epochs=self.first_epochs, max_steps=None)
        return optim if self.first_lr is None else replace(optim, lr=self.first_lr)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
