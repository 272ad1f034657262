"""Early-learning regularisation: a network is held to what it said before it learned wrong labels by heart.

Paper: Liu et al. 2020 (2007.00151).
Idea: ``CE(p, y) + weight mean log(1 - p t)``; t is a running average of what the network said of the item.
Asymmetry: older weights. What is right is learned first, so the network of a while ago is right where labels are not.
Use when: some labels are wrong, and one training is all that can be paid.
Expect: neither tuned, where 30 % of labels are wrong: +7.4 points [+5.5, +9.4] on the digits, for as much compute.
Both tuned, where 40 % of Fashion-MNIST's are wrong: not decided, -0.7 points [-2.1, +0.7], and the term gives +0.0.
Watch for: a weight of the term so large that all items are of one class; a baseline that is stopped in time.
Try: ``sdrun method=refine_elr dataset.label_noise=0.3``
``sdrun -m method=refine_elr,supervised dataset.label_noise=0.4 seed=0,1,2``
"""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.settings import CONTROLS, Control, MethodSettings, Situation, require_range, require_view


@dataclass
class RefineELRSettings(MethodSettings):
    """``weight``: of the term; ``momentum``: of what is remembered of an item; ``average``: see ``Averaged``."""

    situation: ClassVar[Situation | None] = Situation.wrong_labels
    needs: ClassVar[str | None] = "categorical"

    view: str
    weight: float
    momentum: float
    label_smoothing: float
    average: float

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_range("method.weight", self.weight, 0)
        require_range("method.momentum", self.momentum, 0, 1)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)
        require_range("method.average", self.average, 0, 1)

    @property
    def controls(self) -> tuple[Control, ...]:
        return CONTROLS

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
