"""Hydra's sweeper ``ask``: with -m, what ``sdrun ask`` does. Hydra finds plugins by this folder's name."""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from sdrun.sweeps.sweeper import BatchSweeper


@dataclass
class AskSchema:
    """The node ``hydra.sweeper``; ``sdrun.asks.declaration`` has the types of what is declared in it.

    ``budget``: seconds that are added; ``resumes``, ``dry_run`` and ``reuse``: see those of grids.
    """

    _target_: str = "hydra_plugins.sdrun_asks.AskSweeper"
    budget: float | None = None
    goal: str = MISSING
    compare: list[str] | None = MISSING
    seeds: int = MISSING
    most_seeds: int = MISSING
    tuning_seeds: list[int] = MISSING
    trials: int = MISSING
    halving: int = MISSING
    lengths: list[float] = MISSING
    val_size: int | None = MISSING
    grid: dict[str, Any] = MISSING
    scaled: dict[str, Any] = MISSING
    candidates: dict[str, Any] = MISSING
    resumes: bool = False
    dry_run: bool = False
    reuse: bool = True


ConfigStore.instance().store(group="hydra/sweeper", name="ask_schema", node=AskSchema, provider="sdrun")


class AskSweeper(BatchSweeper):
    """Looks, plans, tunes and decides through Hydra's launcher, within a budget."""

    def __init__(self, **asked: Any) -> None:
        self.asked = asked

    def sweep(self, arguments: list[str]) -> Any:
        from sdrun.asks.sweep import Sweep

        Sweep(self.context, self.config, self.launcher).run(arguments)
