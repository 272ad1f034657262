"""The signs that DINO has collapsed, and what to do about each."""

import logging
import math

from sdrun.errors import RunError
from sdrun.methods.dino.settings import OnCollapse

log = logging.getLogger(__name__)

PATIENCE = 3
NEAR = 1e-3
LEAST_RANK = 1.5

SHARPEN = "lower method.teacher_temperature or method.out_dim"
SPREAD = "raise method.teacher_temperature, set method.koleo=0.1, or lower optim.lr"


class CollapseWatch:
    """Reads what is logged of a training with ``out_dim`` prototypes; tells of each sign once."""

    def __init__(self, out_dim: int, on_collapse: OnCollapse) -> None:
        self.largest = math.log(out_dim)
        self.on_collapse = on_collapse
        self.seen: dict[str, int] = {}

    def __call__(self, step: int, values: dict[str, float]) -> None:
        """Warn of what was so at three logged points in a row, of the rank at once; RunError where that is to stop."""
        for sign, (holds, remedy, patience) in self._signs(values).items():
            self.seen[sign] = self.seen.get(sign, 0) + 1 if holds else 0
            if self.seen[sign] == patience:
                message = f"collapse at step {step}: {sign}; {remedy}"
                if self.on_collapse is OnCollapse.stop:
                    raise RunError(message)
                log.warning("%s", message)

    def _signs(self, values: dict[str, float]) -> dict[str, tuple[bool, str, int]]:
        """By name: whether it holds, its remedy, and at how many points in a row it must."""
        if "val/rankme" in values:
            return {"the rank of the features is 1": (values["val/rankme"] < LEAST_RANK, SPREAD, 1)}
        loss = values.get("train/loss_dino", values["train/loss"])
        entropy = values["train/teacher_entropy"]
        margin = NEAR * self.largest
        return {
            f"the loss sits at ln K = {self.largest:.4f}": (abs(loss - self.largest) < NEAR, SHARPEN, PATIENCE),
            "the teacher's entropy is ln K": (self.largest - entropy < margin, SHARPEN, PATIENCE),
            "the teacher's entropy is 0": (entropy < margin, SPREAD, PATIENCE),
        }
