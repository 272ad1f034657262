"""Every shipped experiment runs, on fewer steps."""

import json
from pathlib import Path

import pytest

from helpers import compose
from sdrun import run
from sdrun.configuration import conf_folder, settings_from
from sdrun.datasets import sources
from sdrun.errors import InputError

NAMES = sorted(path.stem for path in (conf_folder() / "experiment").glob("*.yaml"))
FEW = ("optim.max_steps=2", "dataset.train_size=256", "dataset.val_size=200", "hardware.threads=1")


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name, tmp_path: Path):
    config = compose(f"experiment={name}", *FEW)
    try:
        sources.load(settings_from(config).dataset)
    except InputError as missing:
        pytest.skip(str(missing).splitlines()[0])
    run.start(config, tmp_path / "run", [])
    assert json.loads((tmp_path / "run/summary.json").read_text())["status"] == "completed"
