"""What a person sees of a run in a terminal, and what is kept of it in run.log."""

import io
import re

import pytest
from rich.console import Console

from sdrun import progress
from sdrun.bar import Bar, Seen
from sdrun.display import Display
from sdrun.judges.metric import CLASSIFICATION, to_json
from sdrun.storage.stage import StageResult

ACCURACY = CLASSIFICATION[0]
METRICS = {"test/accuracy": 0.925, "test/nll": 0.25}
RESULT = StageResult(
    name="generation_0", steps=100, seconds=5.0, metrics=METRICS, declared=to_json(CLASSIFICATION), sha256={}
)
STAGES = {"generation_0": "generation_0", "generation_1": "generation_1"}
FACTS = "images of 1x8x8: 1,257 for training, 180 for validation, 360 for testing"


def run(display):
    """What a stage tells its display."""
    display.tell("Data", [FACTS])
    display.begin("generation_0", 100, 10, 0, ACCURACY)
    display.update(10, {"train/loss": 2.0, "train/samples_per_second": 3000.0})
    display.update(20, {"val/accuracy": 0.672})
    display.update(40, {"val/accuracy": 0.75})
    display.trained()
    with display.doing("generation_0", "drawing"):
        shown = drawn(display, 60)
    display.end(RESULT)
    display.close()
    return shown


def drawn(display, width):
    """The lines at the bottom of a terminal that is so wide."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(Bar(console, display._seen).drawn())
    return console.file.getvalue().splitlines()


@pytest.fixture
def display(tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    return Display(tmp_path / "run.log", STAGES)


def test_a_terminal_wraps_beside_titles_and_the_log_is_plain(display, tmp_path, capsys):
    shown = run(display)
    assert shown[0].startswith("generation_0, stage 1 of 2  ━")
    assert shown[1].split(",") == ["drawing", " 0:00:00"]
    text = re.sub(r"\x1b\[[0-9;?]*\w", "", capsys.readouterr().out)
    lines = [line.rstrip("\r").rpartition("\r")[2].strip() for line in text.split("\n")]  # what is not overwritten
    place = lines.index("Data         images of 1x8x8: 1,257 for training, 180 for")
    assert lines[place + 1] == "validation, 360 for testing"
    assert "generation_0: test accuracy 92.50 %, NLL 0.2500" in lines
    log = (tmp_path / "run.log").read_text()
    assert "\x1b" not in log
    assert f"INFO Data         {FACTS}\n" in log
    assert "generation_0, stage 1 of 2  epoch 2/10  loss 2.000  val accuracy 67.20 %  3,000 samples/s\n" in log
    assert "INFO generation_0: drawing\n" in log


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("title", ["supervised", "generation_1, stage 2 of 3", 90 * "x"])
def test_no_line_is_wider_than_the_terminal(width, title):
    parts = ["epoch 12/23", "loss 0.492", "val accuracy 75.00 %", "2,872 samples/s"]
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(Bar(console, lambda: Seen(title, 0.5, "0:01:04 left in all", parts)).drawn())
    first, second = console.file.getvalue().splitlines()
    assert max(len(first), len(second)) <= width
    assert parts[0] in second
    assert ("samples/s" in second) == (width >= 80)
    assert "…" not in second or width < 40
    assert title != "supervised" or width < 40 or "0:01:04 left in all" in first


def test_a_stage_is_called_as_its_method_was_asked_for(tmp_path, capsys):
    display = Display(tmp_path / "run.log", {"consistency": "fixmatch"})
    display.begin("consistency", 20, 10, 0, ACCURACY)
    display.update(20, {})
    assert display.where == " in fixmatch, of which nothing is saved"
    with display.doing("consistency", "drawing"):
        assert drawn(display, 60)[0].startswith("fixmatch  ━")
    display.end(StageResult(name="consistency", steps=20, seconds=5.0, metrics={}))
    display.close()
    assert capsys.readouterr().out.splitlines() == ["fixmatch: drawing", "fixmatch: done"]


def test_others_hear_where_it_is(display, monkeypatch):
    heard = []
    monkeypatch.setattr(progress, "_listeners", [progress.Listener(heard.append, progress.nullcontext)])
    run(display)
    assert (heard[1].stage, heard[1].number, heard[1].num_stages, heard[1].step) == ("generation_0", 1, 2, 20)
    assert heard[1].share == 0.1
    assert heard[-1].doing == "drawing"


def test_it_says_what_an_interrupted_run_was_at(display):
    assert display.where == ""
    display.begin("generation_0", 100, 10, 0, ACCURACY)
    assert display.where == " in generation_0, of which nothing is saved"
    display.saved(23)
    assert display.where == " in generation_0, saved at step 23 of 100"
    with pytest.raises(KeyboardInterrupt), display.doing("generation_0", "drawing"):
        raise KeyboardInterrupt
    assert display.where == " in generation_0, drawing; its training is saved"
    display.close()


def test_how_long_it_takes_is_told_once(tmp_path, monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr("sdrun.display.time.monotonic", lambda: now[0])
    display = Display(tmp_path / "run.log", {"a": "a", "b": "b"})
    display.begin("a", 100, 10, 0, ACCURACY)
    for step in range(10, 100, 10):
        now[0] += 2
        display.update(step, {"val/accuracy": 0.5})
    display.close()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("Time")] == ["Time         about 0:00:36 of training to come"]
    assert lines[1] == "a, stage 1 of 2  epoch 3/10  val accuracy 50.00 %  0:00:34 left in all"
