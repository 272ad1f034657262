"""What docs/your_data.md shows is followed, line by line, in an empty folder."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
from plugins.labs import unplugged

from helpers import QUICK, manifest

TEXT = (Path(__file__).parent.parent / "docs" / "your_data.md").read_text()
MAKE, LAB, USE = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^sdrun (.*)$", TEXT, re.MULTILINE)
FEW = ("optim.epochs=1", *QUICK)
ITEMS = {"photo.jpg": "digits/is_3/3.png", "other_photos/": "digits/is_4", "other_folder": "digits"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, text in {"make.py": MAKE, "my_lab.py": LAB, "use.py": USE}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_command_does_what_the_page_says(place, called):
    runpy.run_path("make.py")
    run, told = "", {}
    for command in COMMANDS:
        words = [ITEMS.get(word, word) for word in shlex.split(command.replace("RUN_FOLDER", run), comments=True)]
        if "new.csv" in words:
            continue  # it is of another run, one on a table
        is_run = not {"taps", "check", "predict", "evaluate"} & set(words)
        with unplugged():
            code, text = called(*words, *(FEW if is_run else ()))
        assert code == 0, text
        told[command] = text
        run = run or re.search(r"^Run +(\S+)$", text, re.MULTILINE)[1]
    assert len(told) == len(COMMANDS) - 1 >= 6
    assert "images of 1x8x8: 1,295 for training, 143 for validation, 359 for testing" in told[COMMANDS[0]]
    assert manifest(Path(run))["method"] == "supervised"
    (place / "use.py").write_text(USE.replace("RUN_FOLDER", run).replace("photos/", "digits/is_7"))
    said = runpy.run_path("use.py")
    assert said["model"].classes == [f"is_{number}" for number in range(10)]
    assert said["probabilities"].shape == (len(list(Path("digits/is_7").iterdir())), 10)
