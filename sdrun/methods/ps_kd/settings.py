"""PS-KD, progressive self-distillation: the label is mixed with what the network said of the item an epoch ago.

Paper: Kim et al. 2021 (2006.12000).
Idea: cross-entropy with ``(1 - a_t) y + a_t p_i``, p_i the probabilities that the network gave item i when it last
saw it, and a_t growing evenly from 0 to ``alpha``. Until an item was seen, p_i is its label.
Asymmetry: older weights, and another view. The teacher is the student of an epoch ago, of which only the predictions
are kept, for the whole training set.
Use when: every item has its label, and probabilities should be calibrated as they come.
Expect: less accuracy: -0.6 points [-1.0, -0.2] (5,000 images of Fashion-MNIST, 15 epochs). ECE was better, 0.015 for
0.025; after a fitted temperature it was the same, 0.011.
Watch for: an epoch is a pass over all training items, so with few labels p_i is much younger; label smoothing, with
which it shares the growing entropy of the targets, is the control.
Try: ``sdrun method=ps_kd``
``sdrun -m method=ps_kd,supervised method.label_smoothing=0.1 seed=0,1,2``
"""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.settings import CONTROLS, Control, MethodSettings, Situation, require_range, require_view


@dataclass
class PSKDSettings(MethodSettings):
    """``alpha``: weight of the network's own prediction at the last step; ``view``: how the items are seen."""

    situation: ClassVar[Situation | None] = Situation.many_labels
    needs: ClassVar[str | None] = "categorical"

    view: str
    alpha: float

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_range("method.alpha", self.alpha, 0, 1)

    @property
    def controls(self) -> tuple[Control, ...]:
        return CONTROLS

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
