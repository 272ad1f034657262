"""What a start leaves behind, in this process: Hydra's copy of the settings, and a sweep's folder for one sweep."""

import json
from pathlib import Path

import pytest
from filelock import FileLock
from omegaconf import OmegaConf

from helpers import SMALL
from sdrun import preflight

SHORT = ["method=supervised", *SMALL, "optim.max_steps=3"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_hydras_copy_is_of_the_run_that_is_there(called, tmp_path, monkeypatch):
    assert called(*SHORT, "optim.lr=0.1", "hydra.run.dir=run")[0] == 0
    before = contents(tmp_path)
    assert {file for file in before if ".hydra" in file} == {
        f"run/.hydra/{name}.yaml" for name in ("config", "hydra", "overrides")
    }
    assert OmegaConf.load("run/.hydra/overrides.yaml") == [*SHORT, "optim.lr=0.1"]
    seen = OmegaConf.load("run/.hydra/config.yaml")
    assert (seen.optim.lr, seen.hardware.device, "hydra" in seen) == (0.1, "cpu", False)
    hydra = OmegaConf.load("run/.hydra/hydra.yaml").hydra
    assert hydra.runtime.output_dir == str(tmp_path / "run")

    monkeypatch.setattr(preflight, "_require_place", lambda *_: None)  # as if it had looked before the first one came
    code, text = called(*SHORT, "optim.lr=0.5", "hydra.run.dir=run")
    assert code == 2
    assert "run holds a run already" in text
    assert contents(tmp_path) == before


def test_a_sweep_has_its_folder_for_itself(called, tmp_path, monkeypatch):
    sweep = ["-m", *SHORT, "hydra.sweep.dir=sweep"]
    (tmp_path / "sweep").mkdir()
    with FileLock("sweep/.sweep.lock"):
        code, text = called(*sweep)
    words = "sdrun: sweep is being written by another sweep; choose another folder by hydra.sweep.dir=FOLDER\n"
    assert (code, text) == (2, words)
    assert list(contents(tmp_path)) == ["sweep/.sweep.lock"]

    assert called(*sweep, "seed=1,2")[0] == 0
    before = contents(tmp_path)
    assert json.loads(before["sweep/1/summary.json"])["status"] == "completed"
    monkeypatch.setattr(preflight, "_require_place", lambda *_: None)
    code, text = called(*sweep, "seed=3")
    assert code == 2
    assert "sdrun: sweep holds the runs of a sweep already; choose another folder" in text
    assert contents(tmp_path) == before


def test_a_claims_folder_is_for_one_sweep_too(called, tmp_path):
    (tmp_path / "claim").mkdir()
    with FileLock("claim/.sweep.lock"):
        code, text = called("-m", "experiment=claim_born_again", *SMALL, "hydra.sweep.dir=claim")
    assert (code, "claim is being written by another sweep" in text) == (2, True)
    assert list(contents(tmp_path)) == ["claim/.sweep.lock"]


@pytest.mark.parametrize("sweep", [[], ["-m", "hydra.sweep.dir=a,b"]])
def test_paths_mean_what_they_mean_where_the_command_is_given(called, tmp_path, sweep):
    pass
