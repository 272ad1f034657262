"""A model of the timm library."""

import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import ClassVar

from sdrun.errors import require
from sdrun.settings import Item, ModelSettings

TIMM = "timm"
"""The value of ``pretrained`` that stands for timm's own download."""


@dataclass
class TimmSettings(ModelSettings):
    """``name``: as timm has it; ``pretrained``: a file of weights, or ``timm`` for its own, or None for chance.

    The smallest batch is that of BatchNorm, which most models have. Nothing imports timm before taps or a check do.
    """

    takes: ClassVar[str] = "images"
    smallest_batch: ClassVar[int] = 2
    immaterial: ClassVar[tuple[str, ...]] = ("pretrained",)

    pretrained: str | None

    def __post_init__(self) -> None:
        if self.pretrained not in (None, TIMM):
            self.pretrained = os.path.abspath(os.path.expanduser(self.pretrained))

    @property
    def title(self) -> str:
        return f"timm/{self.name}"

    @property
    def origin(self) -> str | None:
        return self.pretrained

    def untrained(self) -> ModelSettings:
        return replace(self, pretrained=None)

    @property
    def taps(self) -> list[str]:
        self._require_timm()
        from sdrun.models.timm.plan import usual

        return list(usual(self.name).taps)

    def check(self, item: Item) -> None:
        self._require_timm()
        from sdrun.models.timm.plan import plan

        plan(self.name, item)

    def _require_timm(self) -> None:
        is_there = find_spec("timm") is not None
        require(is_there, "model", f"{self.title} needs the timm library; get it by: pip install 'sdrun[timm]'")
