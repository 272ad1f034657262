"""Co-teaching: two networks that choose for each other which labels to believe. A control that distils nothing.

Paper: Han et al. 2018 (1804.06872).
Idea: of each batch either network picks the items of least loss, and the other learns from these; the share that is
left out rises to ``forget``.
Asymmetry: none. The two start elsewhere and so make other mistakes, but tell each other nothing of an item.
Use when: a method that learns what a model believes is to be held against one that only leaves out.
Expect: neither tuned, where 30 % of labels are wrong: +4.3 points [+1.8, +6.7] on the digits, for twice the compute.
Watch for: its two networks, for twice the compute; classes that are hard, and left out as if they were wrong.
Try: ``sdrun method=refine_coteaching dataset.label_noise=0.3 method.forget=0.3``
``sdrun -m method=refine_coteaching,refine dataset.label_noise=0.4 seed=0,1,2``
"""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.settings import MethodSettings, Situation, require_range, require_view


@dataclass
class RefineCoteachingSettings(MethodSettings):
    """``forget``: the share of a batch that is left out at last, after the share ``ramp_up`` of the steps."""

    situation: ClassVar[Situation | None] = Situation.wrong_labels
    needs: ClassVar[str | None] = "categorical"

    view: str
    forget: float
    ramp_up: float
    label_smoothing: float

    def __post_init__(self) -> None:
        require_view("method.view", self.view)
        require_range("method.forget", self.forget, 0, 0.99)
        require_range("method.ramp_up", self.ramp_up, 0, 1)
        require_range("method.label_smoothing", self.label_smoothing, 0, 1)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.view,)
