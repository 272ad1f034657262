"""Every shipped experiment runs, on fewer steps and made-up images."""

from pathlib import Path

import pytest

from helpers import settings, summary, write_idx
from sdrun import run
from sdrun.configuration import conf_folder

NAMES = sorted(path.stem for path in (conf_folder() / "experiment").glob("*.yaml"))
FEW = ("optim.max_steps=2", "dataset.train_size=256", "dataset.val_size=200", "hardware.threads=1")


def drawing(name: str):
    """With pictures, unless it is a claim's, which draws what ``few_labels_fashion_mnist`` does."""
    return pytest.param(name, marks=[] if name.startswith("claim_") else pytest.mark.pictures)


@pytest.mark.parametrize("name", map(drawing, NAMES))
def test_it_runs(name, tmp_path: Path):
    root = write_idx(tmp_path / "data", num_train=500)
    run.start(settings(f"experiment={name}", *FEW, f"dataset.root={root}"), tmp_path / "run", [])
    assert summary(tmp_path / "run")["status"] == "completed"
