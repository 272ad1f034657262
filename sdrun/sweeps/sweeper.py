"""A sweeper of Hydra's that makes runs in batches, each of which depends on what those before it came to."""

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class BatchSweeper(Sweeper):
    """``context``, ``config`` and ``launcher`` are there once it is set up; ``sweep`` is for others to say."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
