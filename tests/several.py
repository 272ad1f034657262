"""Runs one after the other in processes that torchrun starts once: several.py '{"FOLDER": ["OVERRIDE", ...], ...}'"""

import json
import sys
from pathlib import Path
from unittest.mock import patch

import torch

from further import example
from helpers import settings
from sdrun import run
from sdrun.ranks import rank

torch.distributed.init_process_group("gloo")
one_group = patch("torch.distributed.init_process_group"), patch("torch.distributed.destroy_process_group")
with one_group[0], one_group[1], example():
    for folder, overrides in json.loads(sys.argv[1]).items():
        run.start(settings(*overrides), Path(folder) if rank() == 0 else None, overrides)
torch.distributed.destroy_process_group()
