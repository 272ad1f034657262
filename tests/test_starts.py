"""What a start leaves behind, in this process: Hydra's copy of the settings, and a sweep's folder for one sweep."""

import json
import os
import pwd
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from helpers import SMALL, compose, write_idx
from sdrun import preflight
from sdrun.configuration import require_text
from sdrun.errors import InputError
from sdrun.settings.words import override

SHORT = ["method=supervised", *SMALL, "optim.max_steps=3"]
ODD = "w =,'$#%[]{}ü(a)"


def write_experiment(folder: Path, text: str) -> None:
    (folder / "experiment").mkdir(parents=True)
    (folder / "experiment/x.yaml").write_text(f"# @package _global_\n{text}")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_hydras_copy_is_of_the_run_that_is_there(called, tmp_path, monkeypatch):
    assert called(*SHORT, "optim.lr=0.1", override("hydra.run.dir", ODD))[0] == 0
    before = contents(tmp_path)
    assert {file for file in before if ".hydra" in file} == {
        f"{ODD}/.hydra/{name}.yaml" for name in ("config", "hydra", "overrides")
    }
    assert OmegaConf.load(f"{ODD}/.hydra/overrides.yaml") == [*SHORT, "optim.lr=0.1"]
    seen = OmegaConf.load(f"{ODD}/.hydra/config.yaml")
    assert (seen.optim.lr, seen.hardware.device, "hydra" in seen) == (0.1, "cpu", False)
    assert f"sdrun tensorboard {shlex.quote(ODD)}" in before[f"{ODD}/run.log"].decode()  # can be pasted
    hydra = OmegaConf.load(f"{ODD}/.hydra/hydra.yaml").hydra
    assert hydra.runtime.output_dir == str(tmp_path / ODD)

    assert f"sdrun resume {shlex.quote(ODD)}\n" in called(*SHORT, override("hydra.run.dir", ODD))[1]
    monkeypatch.setattr(preflight, "_require_place", lambda *_, **__: None)  # as if it had looked before
    code, text = called(*SHORT, "optim.lr=0.5", override("hydra.run.dir", ODD))
    assert code == 2
    assert f"{ODD} holds a run already; go on with it by: sdrun resume" in text
    assert contents(tmp_path) == before


def test_a_sweep_has_its_folder_for_itself(called, tmp_path, monkeypatch):
    sweep = ["-m", *SHORT, "hydra.sweep.dir=sweep", "hydra/launcher=serial"]
    assert called(*sweep, "seed=1,2")[0] == 0
    before = contents(tmp_path)
    assert json.loads(before["sweep/0001-supervised-seed=2/summary.json"])["status"] == "completed"
    for _ in range(2):
        code, text = called(*sweep, "seed=3")
        words = "sdrun: sweep holds a sweep already; go on with it by: sdrun resume sweep, or choose another folder"
        assert (code, words in text) == (2, True)
        assert contents(tmp_path) == before
        monkeypatch.setattr(preflight, "_require_place", lambda *_, **__: None)  # as if both had looked at once


@pytest.mark.parametrize("name", [ODD, "a\\", 'b"', "\\\"'"])
def test_any_name_of_a_folder_can_be_written(name):
    assert compose(override("dataset.root", name)).dataset.root == name
    with pytest.raises(InputError) as error:
        compose(f"dataset.root={ODD}")
    line = str(error.value).splitlines()[-1]
    assert line == f"Quote what is one text, for the shell too: {shlex.quote(override('dataset.root', ODD))}"
    with pytest.raises(InputError, match="Ambiguous value for argument 'dataset.root=a,b': sweep over it by -m"):
        compose("dataset.root=a,b")


def test_paths_mean_what_they_mean_where_the_command_is_given(called, tmp_path, monkeypatch, capsys):
    home = tmp_path / ODD
    home.mkdir()
    monkeypatch.chdir(home)
    write_idx(home / f"data {ODD}")
    write_experiment(home / f"own {ODD}", "seed: 7\n")
    data = ["dataset=mnist", "dataset.train_size=10", "dataset.val_size=4", "optim.batch_size=4", "hardware=cpu"]
    data += ["method=supervised", "model.widths=[4]", "optim.max_steps=1", "hydra.job.chdir=true"]
    own = ["--config-dir", f"own {ODD}", "experiment=x", *data, override("dataset.root", f"data {ODD}")]
    code, text = called(*own, override("hydra.run.dir", f"run {ODD}"))
    assert code == 0, text
    config = OmegaConf.load(home / f"run {ODD}/config.yaml")
    assert (config.seed, config.dataset.root) == (7, str(home / f"data {ODD}"))

    monkeypatch.chdir(tmp_path)
    sweep = ["-m", *data, override("dataset.root", f"{ODD}/data {ODD}"), "hydra.sweep.dir=sweep"]
    assert called(*sweep, override("init_from", f"{ODD}/run {ODD}"))[0] == 0
    assert OmegaConf.load("sweep/0000-supervised/config.yaml").init_from == str(home / f"run {ODD}")
    assert called("resume", f"{ODD}/run {ODD}")[0] == 0


def test_a_text_that_would_be_resolved_again_is_refused(called, tmp_path):
    for ask in ([], ["--cfg", "job"]):
        code, text = called(*ask, "dataset=mnist", r"dataset.root='\${seed}'")
        assert (code, text.startswith("sdrun: dataset.root: holds ${ as a text")) == (2, True)
    assert not list(tmp_path.iterdir())


def test_a_user_without_name_and_home_is_told_of_files_only(called, tmp_path, monkeypatch):
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: {}[uid])
    assert called(*SHORT, "hydra.run.dir=run")[0] == 0
    for overrides in (["dataset=mnist"], ["dataset=mnist", "dataset.root='~/x'"]):
        code, text = called(*overrides)
        assert code == 2
        assert "are not in" in text
    code, text = called("dataset=mnist", "dataset.download=true")
    assert (code, text.startswith("sdrun: dataset.root: this user has no home folder")) == (2, True)


def test_names_that_are_no_text_are_refused(tmp_path):
    ascii_only = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "sdrun", "hydra.run.dir='ü'"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=ascii_only)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "is no text in this locale; set PYTHONUTF8=1" in done.stderr
    with pytest.raises(InputError, match="is no text in this locale"):
        require_text("x\udcc3")
