"""What came out of a stage, as its mark and the summary of its run tell. Imports no torch."""

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """A finished stage. One that trained nothing has 0 steps; one that judged nothing has no metrics.

    ``multiply_adds``: of all its steps and ranks; ``best_step``: of the weights ``best``, where validation chose some;
    ``sha256``: of its weights, by ``last`` and ``best``, or of its ``items``; ``networks``: where each lies in these
    weights, by its word; ``declared``: what its metrics mean, as ``judges.metric`` writes it; ``other``: of a network
    that is not of the run's model, what it is, such as the model's title; ``released``: whether its weights or items
    were deleted, for nothing needs them any more.
    """

    name: str
    steps: int
    seconds: float
    metrics: dict[str, float]
    samples: int = 0
    multiply_adds: int = 0
    samples_per_second: float | None = None
    best_step: int | None = None
    sha256: dict[str, str] = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)
    declared: dict[str, dict[str, Any]] = field(default_factory=dict)
    other: str = ""
    released: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the stage's mark and the summary; what only some stages have is left out where there is none."""
        return {key: value for key, value in vars(self).items() if self.steps or value or key not in OF_SOME}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "StageResult":
        """From what ``to_json`` gave, in whichever version of sdrun."""
        names = {entry.name for entry in fields(cls)}
        values = {key: value for key, value in document.items() if key in names}
        return cls(
            **{
                **values,
                "steps": values.get("steps") or 0,
                "seconds": values.get("seconds") or 0.0,
                "metrics": values.get("metrics") or {},
            }
        )


COMPUTE = ("steps", "samples", "multiply_adds", "seconds")
"""What the training of a stage takes, and of a run in all."""

OF_SOME = ("samples", "multiply_adds", "best_step", "sha256", "networks", "declared", "other", "released")
