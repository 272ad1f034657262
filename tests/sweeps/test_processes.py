"""Sweeps as a person starts them, in processes; and what is seen of them."""

import io
import json

import pytest
from rich.console import Console

from helpers import SMALL, summary, tree
from sdrun.errors import InputError
from sdrun.progress import Progress, Saved
from sdrun.storage.sweeps import Command, Job, SweepFolder
from sdrun.sweeps import launch
from sdrun.sweeps.remaining import Remaining, kind
from sdrun.sweeps.screen import Screen

SHORT = ["-m", "method=born_again", "generations=2", *SMALL, "optim.max_steps=4"]


SWEPT = ("alpha=0.2-lr=0.1", "alpha=0.2-lr=1e+30", "alpha=0.7-lr=0.1", "alpha=0.7-lr=1e+30")
KINDS = {
    "a": "seed=0 generations=2 optim.lr=0.1",
    "b": "seed=1 generations=2 optim.lr=1e-3",
    "c": "seed=0 generations=3 optim.lr=0.1",
    "d": "seed=1 generations=3 optim.lr=0.1",
    "e": "dataset.seed=2 generations=2 init_from=elsewhere",
}
LONG = "0003-born_again-alpha=0.3-seed=2"
DIVERGED = "generation_0: the loss is nan at step 2; lower optim.lr, or set optim.clip_norm=1"


def test_jobs_that_fail_are_listed_at_the_end_and_stages_are_shared(called, tmp_path):
    code, text = called(*SHORT, "method.alpha=0.2,0.7", "optim.lr=0.1,1e30", "hydra.sweep.dir=s", "jobs=1")
    assert code == 1
    lines = text.splitlines()
    names = [f"{number:04}-born_again-{words}" for number, words in enumerate(SWEPT)]
    accuracy = summary(tmp_path / "s" / names[0])["metrics"]["test/accuracy"]
    assert lines[:2] == ["s: 4 jobs, 1 at once", f"{names[0]}: started, job 1 of 4"]
    assert lines[2].startswith(f"1 of 4  {names[0]}  accuracy {100 * accuracy:.2f} %  0:00:")
    assert lines[2].endswith(" left")
    assert lines[4].startswith(f"2 of 4  {names[1]}  failed: {DIVERGED}  0:00:")
    assert any(line.startswith("1 stage shared instead of trained: ") for line in lines)
    assert f"{names[1]} failed; s/logs/{names[1]}.log ends in:" in lines
    assert lines[-3:] == [
        f"  sdrun: {DIVERGED}",
        f"sdrun: 2 of 4 runs failed: {names[1]}, {names[3]}",
        "Try these again by: sdrun resume s",
    ]
    statuses = [job["status"] for job in json.loads((tmp_path / "s/sweep.json").read_text())["jobs"].values()]
    assert statuses == ["completed", "failed"] * 2


def test_a_dry_run_leaves_nothing_and_tells_how_long(called, tmp_path):
    code, text = called(*SHORT, "method.alpha=0.2,0.7", "hydra.sweep.dir=s", "--dry-run")
    assert code == 0, text
    lines = text.splitlines()
    assert lines[0] == "Trying 1 of 2 jobs for 30 steps a stage; nothing of it is kept"
    assert [line.split()[0] for line in lines[1:4]] == ["job", "0000-born_again-alpha=0.2", "0001-born_again-alpha=0.7"]
    assert lines[-1].startswith("2 jobs, ")
    assert not tree(tmp_path)


def test_never_more_threads_than_cores(monkeypatch):
    from omegaconf import OmegaConf

    config = OmegaConf.create({"hardware": {"threads": None, "device": "cpu"}})
    monkeypatch.setattr(launch, "cpu_count", lambda: 8)
    assert launch.num_at_once(config, [["seed=0"]], None) == 8
    assert launch.num_at_once(config, [["hardware.threads=2"], ["hardware.threads=3"]], None) == 2
    assert launch.num_at_once(config, [["hardware.threads=2"]], 3) == 3
    with pytest.raises(InputError, match="jobs: is 5, but 8 cores have room for 4 of 2 threads"):
        launch.num_at_once(config, [["hardware.threads=2"]], 5)
    with pytest.raises(InputError, match="jobs: is 0, but must be at least 1"):
        launch.num_at_once(config, [["seed=0"]], 0)
    monkeypatch.setattr(launch, "_has_gpu", lambda: True)
    assert launch.num_at_once(config, [["hardware.device=auto"]], None) == 1


@pytest.fixture
def screen(tmp_path):
    """That of a sweep of four jobs, of which one was made before."""
    folder = SweepFolder.begin(tmp_path / "s", Command([], "/"))
    with folder.updating():
        folder.jobs = {name: Job([]) for name in (LONG, "two", "three", "four")}
        folder.jobs["four"].status = "completed"
    return Screen(folder, [LONG, "two", "three"], 2, is_quiet=False)


@pytest.mark.parametrize(("width", "name"), [(60, f"{LONG[:25]}…"), (80, LONG)])
def test_a_terminal_shows_what_runs_with_its_progress_and_what_is_left(screen, width, name):
    screen.started(LONG)
    screen.started("two")
    screen.told(LONG, Progress("generation_1", 2, 3, 3, 12, 61.0))
    screen.told("two", Saved("generation_0", 5.0))
    screen.console = Console(file=io.StringIO(), width=width)
    screen.console.print(screen._table())
    lines = screen.console.file.getvalue().splitlines()
    assert lines[0].split("; ")[0] == "job 3 of 4: 2 running, 1 queued, 1 done"
    assert [line.split() for line in lines[1:]] == [
        [name, "generation_1", "42%", "0:01:01", "left"],
        ["two", "starting", "0:00:00"],
    ]
    assert max(map(len, lines)) <= width


def test_starts_are_told_of_few_jobs_alone(screen, capsys):
    screen.num_left = 200
    screen.started(LONG)
    assert capsys.readouterr().out == ""
    screen.ended("two", 0)
    assert capsys.readouterr().out == "2 of 4  two  done  by another process\n"


def test_what_is_left_is_told_by_jobs_of_the_kind_that_ended():
    kinds = {name: kind(words.split()) for name, words in KINDS.items()}
    assert len(set(kinds.values())) == 2
    remaining = Remaining(kinds, at_once=2)
    assert remaining.seconds({"a": (10.0, None)}, ["b", "c"]) is None
    assert remaining.seconds({"a": (10.0, 30.0)}, ["b", "c"]) == (30 + 40 + 40) / 2
    remaining.ended("a", 20.0)
    remaining.ended("c", 100.0)
    assert remaining.seconds({"b": (5.0, None)}, []) == 15
    assert remaining.seconds({"d": (1.0, 7.0)}, ["b", "d"]) == 100  # no faster than the longest
    assert remaining.seconds({}, ["b", "d", "e", "d"]) == (20 + 100 + 20 + 100) / 2


def test_what_is_left_is_a_least_where_a_job_to_come_is_of_a_kind_that_none_was():
    kinds = {name: kind(words.split()) for name, words in KINDS.items()}
    remaining = Remaining(kinds, at_once=1)
    assert remaining.told({"a": (10.0, None)}, ["b"]) == ""
    assert remaining.told({"a": (10.0, 30.0)}, ["b"]) == "about 0:01:10 left"
    assert remaining.told({"a": (10.0, 30.0)}, ["b", "c"]) == "at least 0:01:50 left"
    remaining.ended("a", 40.0)
    remaining.ended("c", 100.0)
    assert remaining.told({}, ["b", "c"]) == "about 0:02:20 left"
    assert remaining.told({"b": (40.0, 0.0)}, []) == "", "it is about to end"
