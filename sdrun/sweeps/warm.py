"""What the server of a sweep's processes imports before it forks them. It computes nothing, and has one thread."""

import torch._dynamo
from hydra.core.plugins import Plugins
from tensorboard.compat.proto import summary_pb2

import sdrun.run

Plugins.instance()
__all__ = ["sdrun", "summary_pb2", "torch"]
