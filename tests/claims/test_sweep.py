"""The sweep of a claim, on networks that learn for seconds."""

import json
import shutil
import sys

import pytest

from helpers import SMALL
from sdrun import cli, job

EXPERIMENT = """
# @package _global_
defaults:
  - override /method: supervised
  - override /hydra/sweeper: claim
  - override /hydra/launcher: serial
hydra:
  sweep:
    dir: claim
  sweeper:
    statement: Two generations are better than one network.
    seeds: [0, 1]
    method: [method=born_again, generations=2]
    silent: [method.alpha=0]
    grid: {epochs: [0.5, 1], view: [weak], label_smoothing: [0.1]}
"""


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    monkeypatch.setenv(job.FULL_ERROR, "0")  # a start sets it; later tests start processes of their own
    (tmp_path / "own/experiment").mkdir(parents=True)
    (tmp_path / "own/experiment/tiny.yaml").write_text(EXPERIMENT)

    def run(*overrides: str) -> int:
        arguments = ["sdrun", "-m", "--config-dir", "own", "experiment=tiny", *SMALL, *overrides]
        monkeypatch.setattr(sys, "argv", arguments)
        return cli.main()

    return run


def test_it_makes_every_run_once(sweep, tmp_path, capsys, monkeypatch):
    assert sweep() == 0
    content = json.loads((tmp_path / "claim/claim.json").read_text())
    arms = {place.rpartition("/")[0] for place in content["runs"]}
    grid = {f"grid/epochs_{share}-weak-smoothing_0.1" for share in ("0.5", "1")}
    assert arms == {"plain", "method", "silent", "tuned", "equal"} | grid
    assert content["chosen"] in [name.removeprefix("grid/") for name in grid]
    summaries = {place: json.loads((tmp_path / f"claim/{place}/summary.json").read_text()) for place in content["runs"]}
    assert {found["status"] for found in summaries.values()} == {"completed"}

    cost = {place: found["compute"]["multiply_adds"] for place, found in summaries.items()}
    assert content["compute_factor"] == pytest.approx(cost["method/seed_0"] / cost["plain/seed_0"])
    assert cost["equal/seed_0"] >= cost["method/seed_0"]
    assert cost["silent/seed_1"] == cost["method/seed_1"]

    written = {place: (tmp_path / f"claim/{place}/summary.json").stat().st_mtime_ns for place in content["runs"]}
    shutil.rmtree(tmp_path / "claim/tuned/seed_1")
    assert sweep() == 0
    again = {place: (tmp_path / f"claim/{place}/summary.json").stat().st_mtime_ns for place in content["runs"]}
    assert [place for place in again if again[place] != written[place]] == ["tuned/seed_1"]

    monkeypatch.setattr(sys, "argv", ["sdrun", "resume", "claim"])
    shutil.rmtree(tmp_path / "claim/plain/seed_0")
    assert cli.main() == 0
    assert json.loads((tmp_path / "claim/plain/seed_0/summary.json").read_text())["status"] == "completed"

    assert sweep("optim.lr=0.01") == 2
    message = "claim/plain/seed_0: was run with other settings: optim.lr was 0.1 and is 0.01 now; move it away, or"
    assert message in capsys.readouterr().err


def test_a_claim_that_does_not_hold_together_makes_no_folder(sweep, tmp_path, capsys):
    assert sweep("hydra.sweeper.tuning_seed=1") == 2
    assert "hydra.sweeper.tuning_seed: must not be one of the paired seeds" in capsys.readouterr().err
    assert sweep("hydra.sweeper.silent=null") == 2
    assert not list(tmp_path.glob("claim/*/*"))
