"""Every shipped experiment runs, on fewer steps and made-up images."""

from pathlib import Path

import pytest

from helpers import QUICK, settings, summary, write_idx
from sdrun import run
from sdrun.choices import conf_folder

NAMES = sorted(path.stem for path in (conf_folder() / "experiment").glob("*.yaml"))
FEW = ("optim.max_steps=2", "dataset.train_size=256", "dataset.val_size=200", *QUICK)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name, tmp_path: Path):
    root = write_idx(tmp_path / "data", num_train=500)
    run.start(settings(f"experiment={name}", *FEW, f"dataset.root={root}"), tmp_path / "run", [])
    assert summary(tmp_path / "run")["status"] == "completed"
