"""What a claim declares: its arms, the grid of its baseline, and what is held against what."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sdrun.errors import InputError, require
from sdrun.settings.checks import require_range, require_view

METHOD, SILENT, PLAIN, PRETRAIN, GRID, TUNED, EQUAL = "method", "silent", "plain", "pretrain", "grid", "tuned", "equal"


@dataclass
class Contrast:
    """Two sides, each an arm or ``arm:stage``, and the metric by which the left one is held against the right one."""

    left: str
    right: str
    metric: str


@dataclass
class Grid:
    """The plain trainings among which the tuned baseline is chosen: all combinations.

    ``epochs``: of the length of the plain training; the others are settings of ``method=supervised``.
    """

    epochs: list[float]
    view: list[str]
    label_smoothing: list[float]

    def __post_init__(self) -> None:
        for name in ("epochs", "view", "label_smoothing"):
            require(len(getattr(self, name)) > 0, f"hydra.sweeper.grid.{name}", "needs at least one value")
        for share in self.epochs:
            require(share > 0, "hydra.sweeper.grid.epochs", f"needs shares above 0, but has {share:g}")
        for role in self.view:
            require_view("hydra.sweeper.grid.view", role)
        for smoothing in self.label_smoothing:
            require_range("hydra.sweeper.grid.label_smoothing", smoothing, 0, 1)


@dataclass
class Declaration:
    """One claim. An arm is a list of overrides of the experiment; all arms are run on the same ``seeds``.

    ``method`` is what is claimed to help; ``silent``, on top of it, takes the teacher's weight away; ``plain`` is
    training without a teacher. Where there is a ``pretrain``, ``method`` starts from its network of the same seed. The
    tuned baseline is the member of ``grid`` that is best by ``choose_by`` on ``tuning_seed``; the equal one is the same
    trained for as many multiply-adds as ``method`` takes, pretraining included. ``metrics`` are judged, the first one
    decides; ``alive`` replaces the question whether ``method`` differs from ``silent``, ``beside`` adds to all.
    """

    statement: str
    metrics: list[str]
    seeds: list[int]
    tuning_seed: int
    choose_by: str
    plain: list[str]
    method: list[str]
    silent: list[str] | None
    pretrain: list[str] | None
    grid: Grid
    alive: list[Contrast] | None = None
    beside: list[Contrast] = field(default_factory=list)

    def __post_init__(self) -> None:
        is_several = len(set(self.seeds)) == len(self.seeds) > 1
        require(is_several, "hydra.sweeper.seeds", "needs two seeds at least, each once")
        require(self.tuning_seed not in self.seeds, "hydra.sweeper.tuning_seed", "must not be one of the paired seeds")
        require(len(self.metrics) > 0, "hydra.sweeper.metrics", "needs at least one metric")
        is_asked = self.silent is not None or bool(self.alive)
        require(is_asked, "hydra.sweeper.silent", "is null, and no alive says what else shows that the teacher works")

    def questions(self) -> dict[str, list[Contrast]]:
        """What is asked, by kind: ``alive``, ``around_zero``, ``helps``, ``equal_compute`` and ``beside``."""

        def all_metrics(left: str, right: str) -> list[Contrast]:
            return [Contrast(left, right, metric) for metric in self.metrics]

        return {
            "alive": self.alive or all_metrics(METHOD, SILENT),
            "around_zero": all_metrics(SILENT, PLAIN) if self.silent is not None else [],
            "helps": all_metrics(METHOD, TUNED),
            "equal_compute": all_metrics(METHOD, EQUAL),
            "beside": self.beside,
        }


def declaration(values: dict[str, Any]) -> Declaration:
    """The claim that these values declare. Raises InputError where they do not hold together."""
    try:
        claim = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Declaration), values))
    except OmegaConfBaseException as error:
        raise InputError(f"hydra.sweeper.{error.full_key}: {str(error).splitlines()[0]}") from error
    assert isinstance(claim, Declaration)
    return claim
