"""The verbs that read run folders, as a person calls them."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import fresh
import numpy as np
import pytest
from boards import shown
from filelock import FileLock
from folders import made_run, predicted

from sdrun import cli
from sdrun.comparison import index


@pytest.fixture
def run(monkeypatch, capsys):
    def called(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["sdrun", *arguments])
        assert cli.main() == 0
        return capsys.readouterr().out

    return called


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "outputs"
    for seed in range(3):
        made_run(folder / f"plain/{seed}", seed, 0.80 + seed / 100)
        made_run(folder / f"taught/{seed}", seed, 0.90 + seed / 100, method="born_again", method__alpha=0.9)
    made_run(folder / "stopped", 9, None, status="interrupted")
    (folder / "broken").mkdir()
    (folder / "broken/manifest.json").write_text("{")
    return folder


def listed(text: str) -> list[str]:
    return re.findall(r"(?:plain|taught|stopped|broken)\S*(?= +\w+)", text)


def test_list_shows_every_run_and_what_is_broken(runs, run):
    out = run("list")
    assert {"plain/0", "plain/1", "plain/2", "taught/0", "taught/1", "taught/2", "stopped"} <= set(listed(out))
    assert "cannot be read: outputs/broken: manifest.json cannot be read" in out
    assert "8 of 8 runs; 1 cannot be read" in out


def test_list_filters_and_sorts(runs, run):
    assert listed(run("list", "--where", "method=born_again", "--sort", "test/accuracy"))[:3] == [
        "taught/2",
        "taught/1",
        "taught/0",
    ]
    assert "1 of 8 runs" in run("list", "--where", "method.alpha=0.9", "seed=1")
    assert "1 of 8 runs" in run("list", "--where", "status=interrupted")
    assert "8 of 8 runs; the first 2 are shown" in run("list", "--limit", "2")
    assert len(json.loads(run("list", "--format", "json"))) == 8


def test_the_index_is_read_again_only_where_a_run_changed(runs, run, monkeypatch):
    run("list")
    read, asked = index.read, []
    monkeypatch.setattr(index, "read", lambda path: asked.append(path.name) or read(path))
    run("list")
    assert asked == []
    summary = json.loads((runs / "plain/1/summary.json").read_text())
    summary["metrics"]["test/accuracy"] = 0.99
    (runs / "plain/1/summary.json").write_text(json.dumps(summary))
    shutil.rmtree(runs / "plain/2")
    out = run("list", "--sort", "test/accuracy")
    assert asked == ["1"]
    assert listed(out)[0] == "plain/1"
    assert "7 of 7 runs" in out


@pytest.mark.parametrize("content", [b"junk", b""])
def test_a_damaged_index_is_made_again(runs, run, content):
    (runs / index.FILE).write_bytes(content)
    assert "8 of 8 runs" in run("list")
    (runs / index.FILE).unlink()
    assert "8 of 8 runs" in run("list")


def test_runs_are_listed_where_no_index_can_be_written(runs, run):
    (runs / index.FILE).mkdir()
    for _ in range(2):
        assert "8 of 8 runs" in run("list")


def test_show_says_that_a_folder_is_a_sweep(tmp_path, monkeypatch, capsys):
    (tmp_path / "swept").mkdir()
    (tmp_path / "swept/sweep.json").write_text("{}")
    monkeypatch.setattr(sys, "argv", ["sdrun", "show", str(tmp_path / "swept")])
    assert cli.main() == 2
    assert "swept is a sweep; name one of its runs, or all by " in capsys.readouterr().err


def test_show_tells_what_was_asked_and_what_came_out(runs, run):
    out = run("show", str(runs / "taught/1"))
    assert re.search(r"method.alpha +0.9 +0.5", out)
    assert re.search(r"test/accuracy, % +91.00", out)
    assert "born_again on digits, cnn, seed 1" in out


def test_a_report_is_one_page_with_its_commands(runs, run):
    for name, right in (("plain/0", 150), ("taught/0", 180)):
        predicted(runs / name, np.arange(200) < right)
    run("report", str(runs), "-o", "report.html")
    page = Path("report.html").read_text()
    assert "sdrun -m method=born_again seed=0,1,2" in page
    assert "<td>method.name</td>" in page
    assert "<td>method.alpha</td>" not in page, "which one of them alone has"
    assert "<td>steps of a stage</td><td>10</td>" in page
    assert page.count("<svg") == 4  # differences, reliability twice, risk over coverage
    assert f"not averaged: {runs}/stopped is interrupted" in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_tensorboard_gets_a_name_for_every_run(runs, tmp_path):
    for path in runs.glob("*/?"):
        (path / "tensorboard").mkdir()
    names = {view.place.name for view in shown(tmp_path / "place", runs).views.values()}
    assert names == {f"{method} seed={seed}" for method in ("supervised", "born_again") for seed in range(3)}
    some = shown(tmp_path / "other", runs, method="born_again")
    assert {view.place.name for view in some.views.values()} == {f"born_again seed={s}" for s in range(3)}


def test_no_verb_imports_torch(runs):
    for verb in fresh.ended(
        ["list"],
        ["show", "outputs/plain/0"],
        ["compare", "outputs"],
        ["report", "outputs"],
        ["help", "uda"],
        ["methods"],
    ):
        assert verb.code == 0
        assert "torch" not in verb.heavy


def test_tensorboard_ends_with_its_parent(runs):
    (runs / "plain/0/tensorboard").mkdir()
    command = [sys.executable, "-m", "sdrun", "tensorboard", str(runs), "--port", "0", "--host", "127.0.0.1"]
    board = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = re.fullmatch(r"1 run at (http://127\.0\.0\.1:\d+/); Ctrl-C ends it\n", board.stdout.readline())[1]
        with urllib.request.urlopen(address, timeout=60) as page:
            assert page.status == 200
    finally:
        board.terminate()
    assert board.wait(30) == 143
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=60)


def test_a_run_that_was_killed_is_told_from_one_that_is_under_way(tmp_path, run):
    for name in ("killed", "alive", "elsewhere"):
        made_run(tmp_path / f"outputs/{name}", 0, None, status="running")
    for name in ("killed", "alive"):
        (tmp_path / f"outputs/{name}/.lock").touch()
    with FileLock(tmp_path / "outputs/alive/.lock"):
        for _ in range(2):  # read, and from the index
            document = json.loads(run("list", "--format", "json"))
            statuses = {Path(entry["run"]).name: entry["status"] for entry in document}
            assert statuses == {"killed": "killed", "alive": "running", "elsewhere": "running"}
    assert "killed" in run("show", "outputs/killed")
    assert Path("outputs/killed/.lock").exists()
