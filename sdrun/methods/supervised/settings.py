"""Supervised training: the baseline that everything is compared with.

Paper: none; label smoothing is Szegedy et al. 2016 (1512.00567).
Idea: cross-entropy with the labels.
Asymmetry: none. There is no teacher, so a method that does not beat this (with label smoothing, stopped in time, with
the same views) has shown nothing.
Use when: anything else is tried, as its baseline, tuned as hard; alone where labels are many and right.
Expect: tuned as hard, no method here was shown to beat it. Where labels are few, ``method.view=strong`` alone gave +3.6
points [+2.6, +4.6] (250 labels of Fashion-MNIST), more than any method added.
Watch for: an over-trained baseline makes every method look good; compare with ``optim.select=best`` and fewer epochs,
and where labels are wrong with ``method.average=0.99``.
Try: ``sdrun method=supervised optim.select=best``
``sdrun -m method=supervised method.view=weak,strong method.label_smoothing=0,0.1 seed=0,1,2``
"""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.settings import MethodSettings, Situation, require_range, require_view


@dataclass
class SupervisedSettings(MethodSettings):
    """``view`` is what the student sees; ``label_smoothing``: share of the target spread evenly over all classes;
    ``average``: share of a running average of the weights that stays at a step, 0 where none counts in their place.
    """

    situation: ClassVar[Situation | None] = Situation.many_labels
    counts_any: ClassVar[bool] = True

    view: str
    label_smoothing: float
    average: float

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        require_range("method.average", self.average, 0, 1)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
