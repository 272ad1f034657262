"""Sweeps in this process: known jobs are left alone, go on, or are refused, and others are added."""

import csv
import json
import shutil

import pytest

from helpers import SMALL, differences, rewrite_manifest, summary, tree
from sdrun.storage.sweeps import job_held

LINE = ["-m", "method=supervised", *SMALL, "optim.max_steps=4", "hydra/launcher=serial", "hydra.sweep.dir=s"]


@pytest.fixture
def swept(called, tmp_path):
    code, text = called(*LINE, "seed=0,1")
    assert code == 0, text
    return tmp_path / "s"


def statuses(sweep) -> dict[str, str]:
    return {name: job["status"] for name, job in json.loads((sweep / "sweep.json").read_text())["jobs"].items()}


def test_values_are_added_and_what_is_there_is_left_alone(called, swept):
    before = tree(swept / "0000-supervised-seed=0")
    code, text = called("resume", "s", "seed=1,2,2")
    assert code == 0, text
    assert statuses(swept) == {f"000{seed}-supervised-seed={seed}": "completed" for seed in range(3)}
    assert tree(swept / "0000-supervised-seed=0") == before
    code, text = called("resume", "s")
    assert code == 0
    assert text.startswith("s is completed: 3 jobs; there is nothing to do\n")
    assert "sdrun compare s" in text
    assert called("resume", "s", "optim.lr=0.05", "seed=0")[0] == 0
    assert list(statuses(swept))[3:] == ["0003-supervised-seed=0-lr=0.05"]


@pytest.mark.parametrize("words", [(*LINE, "seed=range(0)"), ("resume", "s", "seed=range(0)")])
def test_no_values_are_no_sweep(called, swept, words):
    message = "sdrun: --multirun: gives no job, for a key has no values; give it some, as seed=0,1\n"
    assert called(*words) == (2, message)


def test_a_verb_for_a_run_says_that_a_sweep_is_one(called, swept):
    code, text = called("doctor", "s")
    assert (code, text) == (2, "sdrun: s is a sweep; name one of its runs, or all by s/*/\n")


def test_what_is_missing_is_run_and_what_was_interrupted_goes_on_where_it_stood(called, swept):
    shutil.copytree(swept, "whole")
    shutil.rmtree(swept / "0001-supervised-seed=1")
    (swept / "0000-supervised-seed=0/summary.json").unlink()
    rewrite_manifest(swept / "0000-supervised-seed=0", status="interrupted")
    assert called("resume", "s")[0] == 0
    for name in statuses(swept):
        assert differences(swept / name, swept.parent / "whole" / name) == []
    assert len(json.loads((swept / "0000-supervised-seed=0/manifest.json").read_text())["resumed"]) == 1


def test_what_differs_is_refused_before_anything_runs(called, swept):
    manifest = json.loads((swept / "sweep.json").read_text())
    manifest["jobs"]["0001-supervised-seed=1"]["overrides"].append("optim.lr=0.3")
    (swept / "sweep.json").write_text(json.dumps(manifest))
    shutil.rmtree(swept / "0000-supervised-seed=0")
    code, text = called("resume", "s")
    message = "s/0001-supervised-seed=1: was run with other settings: optim.lr was 0.1 and is 0.3 now; move it away"
    assert (code, message in text) == (2, True)
    assert not (swept / "0000-supervised-seed=0").exists()


def test_results_have_a_row_for_each_job(called, swept):
    called("resume", "s", "seed=2", "optim.lr=1e30")
    with (swept / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["job"] for row in rows] == list(statuses(swept))
    assert [row["status"] for row in rows] == ["completed", "completed", "failed"]
    assert [row["seed"] for row in rows] == ["0", "1", "2"]
    assert float(rows[1]["test/accuracy"]) == summary(swept / rows[1]["job"])["metrics"]["test/accuracy"]
    assert rows[2]["test/accuracy"] == ""


def test_a_job_that_another_process_is_at_is_no_failure_of_its_run(called, swept):
    shutil.rmtree(swept / "0001-supervised-seed=1")
    with job_held(swept, "0001-supervised-seed=1"):
        code, text = called("resume", "s")
    assert (code, "is being run by another process; wait for it" in text) == (1, True)
    assert not list((swept / "0001-supervised-seed=1").iterdir())


def test_folders_may_have_names_of_ones_own(called, tmp_path):
    code, text = called(*LINE, "seed=0,1", "hydra.sweep.subdir=${method.name}/${seed}")
    assert code == 0, text
    assert summary(tmp_path / "s/supervised/1")["seed"] == 1
    assert called("resume", "s", "seed=2")[0] == 0
    assert summary(tmp_path / "s/supervised/2")["seed"] == 2
    code, text = called(*LINE[:-1], "hydra.sweep.dir=t", "seed=0,1", "hydra.sweep.subdir=same")
    assert (code, "hydra.sweep.subdir: gives two jobs the same folder" in text) == (2, True)
    code, text = called(*LINE[:-1], "hydra.sweep.dir=t", "seed=0,1", "hydra.sweep.subdir=../${seed}")
    assert (code, "which is no folder of the sweep" in text) == (2, True)


def test_a_sweep_is_repaired_run_by_run_and_what_is_none_is_said(called, swept):
    code, text = called("resume", "--repair", "s")
    assert (code, "--repair: s is a sweep; repair its runs one by one" in text) == (2, True)
    (swept / "sweep.json").write_text("{")
    code, text = called("resume", "s")
    assert (code, text.startswith("sdrun: s holds no sweep: sweep.json")) == (2, True)


def test_stages_are_shared_unless_that_is_not_wanted(called, tmp_path):
    swept = [*LINE[:-1], "checkpoint_seconds=10,20"]
    assert called(*swept, "hydra.sweep.dir=s")[0] == 0
    assert called(*swept, "hydra.sweep.dir=t", "reuse=off")[0] == 0
    assert called("resume", "t", "checkpoint_seconds=30")[0] == 0
    shared = {
        name: [
            run.parent.name[:4]
            for run in sorted((tmp_path / name).glob("*/manifest.json"))
            if "shared" in json.loads(run.read_text())
        ]
        for name in "st"
    }
    assert shared == {"s": ["0001"], "t": []}
    assert not (tmp_path / "t/.store").exists()


def test_of_a_run_there_is_no_dry_one(called, swept):
    code, text = called("resume", "--dry-run", "s/0000-supervised-seed=0")
    assert (code, "--dry-run: s/0000-supervised-seed=0 is a run" in text) == (2, True)
