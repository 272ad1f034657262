"""Hydra's sweeper ``basic``, whose sweeps can be gone on with. Hydra finds plugins by this folder's name."""

from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore


@dataclass
class GridSweeperConf(BasicSweeperConf):
    """The node ``hydra.sweeper``.

    ``resumes``: the folder has a sweep, which goes on, with what the command adds; ``dry_run``: jobs are listed only;
    ``reuse``: a job takes stages that another one of the sweep has trained.
    """

    _target_: str = "hydra_plugins.sdrun_sweeps.GridSweeper"
    resumes: bool = False
    dry_run: bool = False
    reuse: bool = True


# Hydra's own plugins come first, so that this is what it takes where nothing else is chosen.
ConfigStore.instance().store(group="hydra/sweeper", name="basic", node=GridSweeperConf, provider="sdrun")


class GridSweeper(BasicSweeper):
    """Every combination of the values that are swept over, each a run that is made once."""

    def __init__(
        self,
        max_batch_size: int | None,
        resumes: bool,
        dry_run: bool,
        reuse: bool,
        params: dict[str, str] | None = None,
    ) -> None:
        super().__init__(max_batch_size, params)
        self.resumes = resumes

    def sweep(self, arguments: list[str]) -> Any:
        from sdrun.sweeps.grid import sweep

        assert self.config
        assert self.hydra_context
        assert self.launcher
        words = [*self._parse_config(), *arguments]
        sweep(self.hydra_context, self.config, self.launcher, words, self.resumes, self.max_batch_size)
