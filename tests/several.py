"""Runs one after the other in processes that torchrun starts once: several.py FOLDER METHOD,METHOD OVERRIDE ..."""

import sys
from pathlib import Path
from unittest.mock import patch

import torch
from faults.child import without_pictures

from helpers import settings
from sdrun import run
from sdrun.ranks import rank

folder, names, *overrides = sys.argv[1:]
torch.distributed.init_process_group("gloo")
one_group = patch("torch.distributed.init_process_group"), patch("torch.distributed.destroy_process_group")
with one_group[0], one_group[1], without_pictures():
    for name in names.split(","):
        run.start(settings(f"method={name}", *overrides), Path(folder) / name if rank() == 0 else None, overrides)
torch.distributed.destroy_process_group()
