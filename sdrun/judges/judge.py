"""What every judge of networks is: networks in, numbers and pictures out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from sdrun.judges.drawing import Draw
from sdrun.judges.metric import Metric
from sdrun.models.backbone import Features
from sdrun.trees import Tree

Evaluable = Callable[[Tree], Tensor | Features | dict[str, Tensor]]
"""Items seen clean to logits [B, K], to features, or to logits by a further word, one of them empty."""

Networks = Mapping[str, Evaluable]
"""By the word that their metrics carry; the first, without a word, is the one that counts."""


@dataclass(frozen=True)
class Outcome:
    """What came out of an evaluation: numbers, arrays for ``predictions/``, and what draws a picture, by its title.

    ``documents``: content of JSON files for the folder of the stage, by name.
    """

    metrics: dict[str, float]
    predictions: dict[str, np.ndarray]
    pictures: dict[str, Draw]
    documents: dict[str, Any] = field(default_factory=dict)


class Judge(ABC):
    """How the networks of a finished stage are judged. ``declared``: what its metrics mean, the headline first."""

    declared: tuple[Metric, ...]

    knows_gaps: ClassVar[bool] = True
    """Whether the validation split tells how good a teacher is where its student is to be good."""

    @abstractmethod
    def full(self, networks: Networks) -> Outcome:
        """Everything about the networks."""

    def doubts(self, metrics: Mapping[str, float]) -> list[str]:
        """What of these metrics is not to be trusted, and why."""
        return []


class TrainingJudge(Judge):
    """One that also looks at the validation split while a stage trains."""

    @abstractmethod
    def validate(self, networks: Networks) -> dict[str, float]:
        """``val/...`` metrics, quick to compute. ``full`` has all of them, too."""

    @abstractmethod
    def score(self, metrics: dict[str, float]) -> list[float]:
        """What makes one set of validation metrics better than another; the larger list wins."""


def prefixed(part: str, word: str, values: dict[str, float]) -> dict[str, float]:
    """Metrics as they are recorded: ``part/name``, or ``part/word/name`` of a network that carries a word."""
    head = f"{part}/{word}" if word else part
    return {f"{head}/{name}": value for name, value in values.items()}
