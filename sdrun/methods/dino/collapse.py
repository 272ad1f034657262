"""The signs that DINO has collapsed, and what to do about each."""

import logging
import math
from enum import Enum

from torch import nn

from sdrun.errors import RunError
from sdrun.methods.dino.settings import OnCollapse
from sdrun.objectives.lasting import Lasting

log = logging.getLogger(__name__)

PATIENCE = 3
NEAR = 1e-3
LEAST_RANK = 1.5

SHARPEN = "lower method.teacher_temperature or method.out_dim"
SPREAD = "raise method.teacher_temperature, set method.koleo=0.1, or lower optim.lr"


class Sign(Enum):
    loss = "the loss sits at ln K"
    uniform = "the teacher's entropy is ln K"
    certain = "the teacher's entropy is 0"
    rank = "the rank of the features is 1"


REMEDIES = {Sign.loss: SHARPEN, Sign.uniform: SHARPEN, Sign.certain: SPREAD, Sign.rank: SPREAD}


class CollapseWatch(nn.Module):
    """Reads what is logged of a training with ``out_dim`` prototypes."""

    def __init__(self, out_dim: int, on_collapse: OnCollapse) -> None:
        super().__init__()
        self.largest = math.log(out_dim)
        self.on_collapse = on_collapse
        self.lasting = Lasting(len(Sign))

    def forward(self, step: int, values: dict[str, float]) -> None:
        """Warn, once while it lasts, of what was so at three points in a row, of the rank at once; or raise."""
        for sign, holds in self._seen(values).items():
            if self.lasting(list(Sign).index(sign), holds, 1 if sign is Sign.rank else PATIENCE):
                message = f"collapse at step {step}: {sign.value} (ln K = {self.largest:.4f}); {REMEDIES[sign]}"
                if self.on_collapse is OnCollapse.stop:
                    raise RunError(message)
                log.warning("%s", message)

    def _seen(self, values: dict[str, float]) -> dict[Sign, bool]:
        if "val/rankme" in values:
            return {Sign.rank: values["val/rankme"] < LEAST_RANK}
        loss = values.get("train/loss_dino", values["train/loss"])
        entropy = values["train/teacher_entropy"]
        return {
            Sign.loss: abs(loss - self.largest) < NEAR,
            Sign.uniform: self.largest - entropy < NEAR * self.largest,
            Sign.certain: entropy < NEAR * self.largest,
        }
