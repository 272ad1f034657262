"""What CONTRIBUTING.md shows as code is new files alone, and runs."""

import re
from pathlib import Path

import sdrun.methods
import sdrun.models
from further import further_rooms, searched
from helpers import QUICK, settings, summary
from sdrun import run
from sdrun.tasks.images import sources

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text()
FILE = re.compile(r"^`((?:sdrun|conf)/[\w/]+\.(?:py|yaml))`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FEW = ("optim.max_steps=20", "log_every=5", *QUICK)


def test_the_method_the_dataset_and_the_model_that_it_shows_train_together(tmp_path):
    files = dict(FILE.findall(TEXT))
    assert len(files) == 8
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for package in ("methods/twice", "models/pooled"):
        (tmp_path / "sdrun" / package / "__init__.py").touch()
    rooms = {
        sdrun.methods: tmp_path / "sdrun/methods",
        sdrun.models: tmp_path / "sdrun/models",
        sources: tmp_path / "sdrun/tasks/images/sources",
    }
    with further_rooms(rooms):
        for choice in (("method=twice",), ("dataset=halves",), ("method=twice", "dataset=halves", "model=pooled")):
            asked = settings(*FEW, *choice, searched(tmp_path / "conf"))
            path = tmp_path / "-".join(choice)
            run.start(asked, path, [])
            assert summary(path)["status"] == "completed"
    assert [stage["name"] for stage in summary(path)["stages"]] == ["first", "second"]
    assert summary(path)["metrics"]["test/accuracy"] > 0.9
