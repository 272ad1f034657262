"""Runs one after the other in processes that torchrun starts once: ``several.py FILE``, a pickle by folder."""

import gc
import pickle
import sys
from pathlib import Path
from unittest.mock import patch

import torch

from further import example
from helpers import with_few_timed
from sdrun import run
from sdrun.ranks import rank
from sdrun.settings import Settings

Asked = tuple[Settings, tuple[str, ...]]
"""The settings of a run, which take longer to compose than its steps, and the overrides that they come from."""


def main() -> None:
    torch.distributed.init_process_group("gloo")
    gc.freeze()  # what is imported stays, and each run's end looks through all that may not
    group = "torch.distributed.init_process_group", "torch.distributed.destroy_process_group"
    with patch(group[0]), patch(group[1]), example(), with_few_timed():
        for folder, (settings, overrides) in pickle.loads(Path(sys.argv[1]).read_bytes()).items():
            run.start(settings, folder if rank() == 0 else None, overrides)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
