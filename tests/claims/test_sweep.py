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
    seeds: 3
    most_seeds: 4
    margin: 0.00001
    method: [method=born_again, generations=2]
    silent: [method.alpha=0]
    trials: 2
    halving: 2
    lengths: [0.5, 1]
    labels: null
    grid: {method.view: null, method.label_smoothing: [0.1, 0.0], optim.lr: null}
    knobs: {method.alpha: [0.5, 0.9]}
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
    def times():
        return {place: (tmp_path / f"claim/{place}/summary.json").stat().st_mtime_ns for place in content["runs"]}

    assert sweep() == 0
    content = json.loads((tmp_path / "claim/claim.json").read_text())
    arms = {place.rpartition("/")[0] for place in content["runs"]}
    trials = {f"tuning/{side}_x0.5_{number:02d}" for side in ("baseline", "method") for number in (0, 1)}
    longer = {arm for arm in arms if arm.startswith(("tuning/baseline_x1_", "tuning/method_x1_"))}
    (extended,) = {arm for arm in arms if arm.startswith("tuning/baseline_x")} - trials - longer
    assert len(longer) == 2
    members = {"baseline_x0.5", "method_x0.5", "baseline_x1", "method_x1", extended.removeprefix("tuning/")}
    assert content["members"].keys() == members
    assert arms == trials | longer | members | {extended, "silent", "uninformed"}
    summaries = {place: json.loads((tmp_path / f"claim/{place}/summary.json").read_text()) for place in content["runs"]}
    assert {summary["status"] for summary in summaries.values()} == {"completed"}
    seeds = {int(place.rpartition("_")[2]) for place in content["runs"] if place.startswith("silent/")}
    assert seeds == {0, 1, 2, 3}
    assert {place for place in content["runs"] if place.endswith("_100")} == {
        f"{arm}/seed_100" for arm in arms if "/" in arm
    }

    cost = {name: member["cost"] for name, member in content["members"].items()}
    method, base = content["chosen"]["method"], content["chosen"]["baseline"]
    assert cost[method] == summaries[f"{method}/seed_0"]["compute"]["multiply_adds"]
    assert cost[method] <= cost[extended.removeprefix("tuning/")] < 1.2 * cost[method]
    assert cost[base] < cost[method]
    for overrides in (run["overrides"] for run in content["runs"].values()):
        assert "pictures=false" in overrides
        assert "dataset.val_size=60" in overrides  # as asked for, and fewer than the 120 labels

    written = times()
    shutil.rmtree(tmp_path / f"claim/{method}/seed_1")
    assert sweep() == 0
    again = times()
    assert [place for place in again if again[place] != written[place]] == [f"{method}/seed_1"]

    monkeypatch.setattr(sys, "argv", ["sdrun", "resume", "claim"])
    shutil.rmtree(tmp_path / f"claim/{base}/seed_0")
    assert cli.main() == 0
    assert times().keys() == again.keys()

    assert sweep("optim.weight_decay=0.01") == 2
    message = "was run with other settings: optim.weight_decay was 0.0005 and is 0.01 now; move it away, or"
    assert message in capsys.readouterr().err


def test_validation_is_no_larger_than_the_labels(sweep, tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr("sdrun.sweeps.making.Making.make", lambda self, jobs, **_: lines.extend(jobs.values()))
    assert sweep("dataset.num_labels=40", "dataset.val_size=200") == 2  # for nothing was made
    assert {word for line in lines for word in line if word.startswith("dataset.val_size")} == {
        "dataset.val_size=60",  # of all small runs
        "dataset.val_size=200",
        "dataset.val_size=40",
    }
    assert all(line.index("dataset.val_size=40") > line.index("dataset.val_size=200") for line in lines)
    lines.clear()
    assert sweep("dataset.num_labels=40", "dataset.val_size=200", "hydra.sweeper.val_size=100") == 2
    assert all("dataset.val_size=100" in line for line in lines)


def test_a_claim_that_does_not_hold_together_makes_no_folder(sweep, tmp_path, capsys):
    assert sweep("hydra.sweeper.tuning_seeds=[1]") == 2
    assert "hydra.sweeper.tuning_seeds: must not be among the paired seeds" in capsys.readouterr().err
    assert sweep("hydra.sweeper.silent=null") == 2
    assert not list(tmp_path.glob("claim/*/*"))
