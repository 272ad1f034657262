"""What the server of a sweep's processes imports before it forks them. It computes nothing, and has one thread."""

import gc
from importlib import import_module

from hydra.core.plugins import Plugins

LATE = (
    "torch._dynamo",  # by each optimiser
    "torch.utils.tensorboard",
    "torch.utils.tensorboard._utils",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "scipy.optimize",
    "sdrun.run",
    "sdrun.judges.pictures",
)
"""Modules that a run imports when it comes to need them."""

Plugins.instance()
for name in LATE:
    import_module(name)
gc.collect()
gc.freeze()  # a collection would touch all of this, and a process has to copy what it touches
