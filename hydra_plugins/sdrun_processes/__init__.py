"""Hydra's launcher ``processes``: every job in a process of its own. Hydra finds plugins by this folder's name."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra._internal.core_plugins.basic_launcher import BasicLauncherConf
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class ProcessesConf:
    """The node ``hydra.launcher``. ``jobs``: how many run at once; null: as many as cores have room for."""

    _target_: str = "hydra_plugins.sdrun_processes.ProcessLauncher"
    jobs: int | None = None


# Hydra's own plugins come first, so that this is what it takes where nothing else is chosen. An override in conf/ would
# win over that of an experiment.
for name, node in {"basic": ProcessesConf, "processes": ProcessesConf, "serial": BasicLauncherConf}.items():
    ConfigStore.instance().store(group="hydra/launcher", name=name, node=node, provider="sdrun")


class ProcessLauncher(Launcher):
    """As many jobs at once as there is room for, of which none can end another; ``until``: when time is up, if ever."""

    def __init__(self, jobs: int | None) -> None:
        self.jobs = jobs
        self.until: float | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context, self.config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from sdrun.sweeps.launch import launch

        return launch(self.context, self.config, job_overrides, initial_job_idx, self.jobs, until=self.until)
