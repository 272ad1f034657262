"""Every shipped experiment runs, on fewer steps and made-up images."""

from pathlib import Path

import pytest
from tasks.text.ratings import zipped

from helpers import QUICK, settings, summary, write_idx
from sdrun import run
from sdrun.choices import conf_folder
from sdrun.settings import CutSettings, DatasetTasks

NAMES = sorted(path.stem for path in (conf_folder() / "experiment").glob("*.yaml"))
FEW = ("optim.max_steps=2", "dataset.train_size=256", "dataset.val_size=200", *QUICK)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name, tmp_path: Path):
    write_idx(tmp_path / "data", num_train=500)
    rated = zipped(tmp_path) if "vader" in name else tmp_path / "data"
    asked = (f"experiment={name}", *FEW, f"dataset.root={rated}")
    if "vader" in name:
        asked = (*asked, "dataset.train_size=60", "dataset.val_size=20")
    if settings(*asked).method.guests:
        asked = (*asked, "dataset.num_labels=200")
        widths = f"model.widths={settings(*asked).model.widths}".replace(" ", "")
        taught = settings("method=supervised", "dataset=fashion_mnist", widths, *asked[1:])
        run.start(taught, tmp_path / "teacher", [])
        asked = (*asked, f"teacher_from={tmp_path / 'teacher'}")
    stream = settings(*asked).dataset.stream
    if isinstance(stream, CutSettings):
        asked = (*asked, "dataset.num_labels=100", "dataset.stream.periods=2")
    if isinstance(stream, DatasetTasks):
        asked = (*asked, f"dataset.stream.roots=[{tmp_path / 'data'}]", "method.first_epochs=1")
    run.start(settings(*asked), tmp_path / "run", [])
    assert summary(tmp_path / "run")["status"] == "completed"
