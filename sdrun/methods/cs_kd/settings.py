"""CS-KD, class-wise self-distillation: an item learns what the network says of another item of its class.

Paper: Yun et al. 2020 (2003.13964).
Idea: ``CE(z(x), y) + weight kd(z(x), sg z(x'), T)``, x' another labelled item of the class y, drawn anew at each step.
Asymmetry: another example. The teacher is the same network at the same step, without gradient, on x'.
Use when: every item has its label, and training is long enough to overfit.
Expect: no more than of label smoothing: 0.0 points [-0.8, +0.8], where that gave +0.2 [-0.4, +0.7] (5,000 images of
Fashion-MNIST, 15 epochs).
Watch for: it regularises, as label smoothing does: compare with ``method=supervised method.label_smoothing=0.1``;
with few items of a class the pairs repeat. A class of one item is its own partner.
Try: ``sdrun method=cs_kd``
``sdrun -m method=cs_kd,supervised method.label_smoothing=0.1 seed=0,1,2``
"""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.settings import CONTROLS, Control, MethodSettings, Situation, require_positive, require_range, require_view


@dataclass
class CSKDSettings(MethodSettings):
    """``view``: how both items of a pair are seen, each in a draw of its own."""

    situation: ClassVar[Situation | None] = Situation.many_labels
    needs: ClassVar[str | None] = "categorical"

    view: str
    weight: float
    temperature: float

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_range("method.weight", self.weight, 0)
        require_positive("method.temperature", self.temperature)

    @property
    def controls(self) -> tuple[Control, ...]:
        return CONTROLS

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
