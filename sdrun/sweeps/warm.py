"""What the server of a sweep's processes imports before it forks them. It computes nothing, and has one thread."""

import gc
import signal
from importlib import import_module

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

for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)  # a terminal sends it to the sweep, too, which tells its jobs

import_module("hydra.core.plugins").Plugins.instance()
for name in LATE:
    import_module(name)
gc.collect()
gc.freeze()  # a collection would touch all of this, and a process has to copy what it touches
