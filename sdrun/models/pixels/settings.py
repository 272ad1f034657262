"""The residual perceptron of vectors on the pixels of images."""

from dataclasses import dataclass
from typing import ClassVar

from sdrun.models.mlp.settings import MLPSettings


@dataclass
class PixelsSettings(MLPSettings):
    """See ``MLPSettings``."""

    takes: ClassVar[str] = "images"
