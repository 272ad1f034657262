"""sdrun: an experiment runner for self-distillation."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrun.trained import Trained

__version__ = "0.1.0"


def load(run: str | Path, device: str = "cpu") -> "Trained":
    """See ``sdrun.trained.load``."""
    from sdrun import trained

    return trained.load(run, device)
