"""Hydra's sweeper ``basic``, alone in its folder. Hydra finds plugins by this folder's name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore


@dataclass
class SingleSweeperConf(BasicSweeperConf):
    """The node ``hydra.sweeper``."""

    _target_: str = "hydra_plugins.sdrun_sweeps.SingleSweeper"


# Hydra's own plugins come first, so that this is what it takes where nothing else is chosen.
ConfigStore.instance().store(group="hydra/sweeper", name="basic", node=SingleSweeperConf, provider="sdrun")


class SingleSweeper(BasicSweeper):
    """Hydra's own sweeper, in a folder that no other sweep has or had."""

    def sweep(self, arguments: list[str]) -> Any:
        from sdrun.storage.sweeps import held

        with held(Path(self.config.hydra.sweep.dir), is_new=True):
            return super().sweep(arguments)
