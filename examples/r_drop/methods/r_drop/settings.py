"""R-Drop: two draws of the same view of an image should be answered alike.

Paper: Wu et al. 2021 (2106.14448).
Idea: ``(CE(z, y) + CE(z', y)) / 2 + weight (KL(p || p') + KL(p' || p)) / 2``, where z and z' come of one forward pass
of both draws. The paper's draws are of dropout alone; here they are of the view, and of dropout where a model has it.
Asymmetry: none. Each draw is both teacher and student, and the gradient goes through both.
Use when: every item has its label, and answers should not hang on the view or on dropout. Not measured here.
Watch for: the control is ``method.weight=0``, which sees as many images; with a large weight all answers become even.
Try: ``sdrun --plugin examples/r_drop method=r_drop``
"""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.settings import MethodSettings, Situation, require_range, require_view


@dataclass
class RDropSettings(MethodSettings):
    """``view``: how the images are seen, in two draws each; ``weight``: of the disagreement."""

    situation: ClassVar[Situation | None] = Situation.many_labels
    needs: ClassVar[str | None] = "categorical"

    view: str
    weight: float

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_range("method.weight", self.weight, 0)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
