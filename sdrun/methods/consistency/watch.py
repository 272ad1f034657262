"""The signs that pseudo-labels have gone wrong, and what to do about each."""

import logging
from enum import Enum

from torch import nn

from sdrun.methods.consistency.settings import Masking
from sdrun.objectives.lasting import Lasting

log = logging.getLogger(__name__)

PATIENCE = 20
NEAR = 0.01
ENOUGH = 0.1
"""Share of a batch that counts, from which on the largest class among these says something."""


class Sign(Enum):
    empty = "no unlabelled item counts"
    full = "every unlabelled item counts"
    one_class = "one class has most of the pseudo-labels"


REMEDIES = {
    Sign.empty: ("lower method.threshold, or give it more steps", "give more labels, or more steps"),
    Sign.full: ("raise method.threshold", "choose method.mask=fixed"),
    Sign.one_class: (
        "raise method.threshold, lower method.weight, or give more labels",
        "lower method.weight, or give more labels",
    ),
}
"""With a threshold that can be set, and without."""


class MaskWatch(nn.Module):
    """Reads what is logged of a training on ``num_classes`` classes with such a mask."""

    def __init__(self, num_classes: int, masking: Masking) -> None:
        super().__init__()
        self.is_masked = masking is not Masking.none
        self.column = 0 if masking in (Masking.fixed, Masking.curriculum) else 1
        self.most = min(0.9, max(0.5, 2 / num_classes))
        self.lasting = Lasting(len(Sign))

    def forward(self, step: int, values: dict[str, float]) -> None:
        """Warn, once while it lasts, of what was so at many logged points in a row."""
        if "train/mask" not in values:
            return
        share = values["train/mask"]
        seen = {
            Sign.empty: share < NEAR,
            Sign.full: self.is_masked and share > 1 - NEAR,
            Sign.one_class: share > ENOUGH and values["train/largest_class"] > self.most,
        }
        for place, (sign, holds) in enumerate(seen.items()):
            if self.lasting(place, holds, PATIENCE):
                log.warning("pseudo-labels at step %d: %s; %s", step, sign.value, REMEDIES[sign][self.column])
