"""Hydra's sweeper ``claim``: with -m, all the runs that a claim needs. Hydra finds plugins by this folder's name."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from sdrun.sweeps.sweeper import BatchSweeper


@dataclass
class ClaimSchema:
    """The node ``hydra.sweeper``; ``sdrun.claims.declaration`` has the types of what is declared in it.

    ``resumes``: always, for a claim goes on with what is there; ``dry_run`` and ``reuse``: see that of grids.
    """

    _target_: str = "hydra_plugins.sdrun_claims.ClaimSweeper"
    statement: str = MISSING
    metric: str = MISSING
    margin: float = MISSING
    seeds: int = MISSING
    most_seeds: int = MISSING
    tuning_seeds: list[int] = MISSING
    choose_by: str = MISSING
    val_size: int | None = MISSING
    trials: int = MISSING
    halving: int = MISSING
    lengths: list[float] = MISSING
    grid: dict[str, Any] = MISSING
    knobs: dict[str, Any] = MISSING
    baseline: list[str] = MISSING
    method: list[str] = MISSING
    silent: list[str] | None = MISSING
    uninformed: list[str] | None = MISSING
    labels: list[str] | None = MISSING
    pretrain: list[str] | None = MISSING
    alive: Any = None
    further: dict[str, Any] = field(default_factory=dict)
    beside: list[Any] = field(default_factory=list)
    resumes: bool = True
    dry_run: bool = False
    reuse: bool = True


ConfigStore.instance().store(group="hydra/sweeper", name="claim_schema", node=ClaimSchema, provider="sdrun")


class ClaimSweeper(BatchSweeper):
    """Runs the arms of a claim through Hydra's launcher, in as few batches as their order allows."""

    def __init__(self, **declared: Any) -> None:
        self.declared = declared

    def sweep(self, arguments: list[str]) -> Any:
        from sdrun.claims.sweep import Sweep

        Sweep(self.context, self.config, self.launcher).run(arguments)
