"""The sweep of a claim, on networks that learn for seconds."""

import json
import re
import shutil
import sys

import pytest

from helpers import SMALL, tree
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
    choose_by: val/nll
    method: [method=born_again, generations=2]
    silent: [method.alpha=0]
    trials: 2
    halving: 2
    lengths: [0.5]
    labels: null
    uninformed: null
    grid: {method.view: null, method.label_smoothing: null, optim.lr: [0.1, 1.0e+30]}
    knobs: {method.alpha: [0.5, 0.9]}
"""


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    monkeypatch.setenv(job.FULL_ERROR, "0")  # a start sets it; later tests start processes of their own
    (tmp_path / "own/experiment").mkdir(parents=True)
    (tmp_path / "own/experiment/tiny.yaml").write_text(EXPERIMENT)

    def run(*overrides: str, without: str = "-") -> int:
        small = [word for word in SMALL if not word.startswith((without, "pictures"))]
        arguments = ["sdrun", "-m", "--config-dir", "own", "experiment=tiny", *small, *overrides]
        monkeypatch.setattr(sys, "argv", arguments)
        return cli.main()

    return run


def test_it_makes_every_run_once(sweep, tmp_path, capsys, monkeypatch):
    def times():
        return {place: (tmp_path / f"claim/{place}/summary.json").stat().st_mtime_ns for place in ended}

    assert sweep() == 0
    told = capsys.readouterr()
    assert "of 4 runs failed: tuning/" in told.err
    assert "what failed counts as the worst" in told.err  # and is no reason to end
    steps = [line for line in told.out.splitlines() if line.startswith("Claim ")]
    assert steps[0] == "Claim        tuning at length 0.5: 4 runs; 13 to 21 in all; --dry-run tells how long"
    assert re.fullmatch(
        r"Claim        paired seeds, 3 of 4 at most: \d+ runs; \d\d to \d\d in all, about .* left", steps[2]
    )
    content = json.loads((tmp_path / "claim/claim.json").read_text())
    assert 13 <= len(content["runs"]) <= 21
    summaries = {place: json.loads((tmp_path / f"claim/{place}/summary.json").read_text()) for place in content["runs"]}
    ended = [place for place, summary in summaries.items() if summary["status"] == "completed"]
    lines = {place: run["overrides"] for place, run in content["runs"].items()}
    assert {place for place in lines if place not in ended} == {
        p for p, words in lines.items() if "optim.lr=0.1" not in words
    }

    arms = {place.rpartition("/")[0] for place in ended}
    names = {"baseline_x0.5", "method_x0.5", "baseline_equal"}
    assert content["members"].keys() == names
    assert {arm for arm in arms if "/" not in arm} == {*names, "silent"}
    assert {arm for arm in arms if "/" in arm} >= {member["arm"] for member in content["members"].values()}
    assert {place for place in ended if place.startswith("silent/")} == {f"silent/seed_{seed}" for seed in range(4)}
    for line in lines.values():
        assert "pictures=false" in line

    for member in content["members"].values():
        assert -member["score"] == min(member["tried"].values(), default=-member["score"])  # for a loss is better lower

    cost = {name: member["cost"] for name, member in content["members"].items()}
    method, base = content["chosen"]["method"], content["chosen"]["baseline"]
    assert cost[method] == summaries[f"{method}/seed_0"]["compute"]["multiply_adds"]
    step = cost["baseline_equal"] / summaries["baseline_equal/seed_0"]["compute"]["steps"]
    assert cost[method] - step < cost["baseline_equal"] <= cost[method]  # as many whole steps as that affords

    written = times()
    shutil.rmtree(tmp_path / f"claim/{method}/seed_1")
    assert sweep() == 0
    again = times()
    assert [place for place in again if again[place] != written[place]] == [f"{method}/seed_1"]

    capsys.readouterr()
    assert sweep("optim.weight_decay=0.01") == 2
    message = "was run with other settings: optim.weight_decay was 0.0005 and is 0.01 now; move it away, or"
    assert message in capsys.readouterr().err
    assert sweep("hydra.sweeper.margin=0.5") == 2
    assert "claim.json: declares margin otherwise than when its paired seeds ran; move it" in capsys.readouterr().err
    assert times() == again

    monkeypatch.setattr(sys, "argv", ["sdrun", "resume", "claim"])
    shutil.rmtree(tmp_path / f"claim/{base}/seed_0")
    assert cli.main() == 0
    assert times().keys() == again.keys()


def test_a_dry_run_says_what_is_made_first_and_how_long_all_takes_and_leaves_nothing(
    sweep, tmp_path, monkeypatch, capsys
):
    def show(context, config, jobs, asked):
        tried.extend(jobs)
        assert not any("init_from" in word for line in jobs.values() for word in line)  # which is not there yet
        return dict.fromkeys(jobs, 60.0)

    tried, before = [], tree(tmp_path)
    monkeypatch.setattr("sdrun.sweeps.estimate.show", show)
    pretrain = 'hydra.sweeper.pretrain=["method=supervised","optim.max_steps=2"]'
    assert sweep("hydra.sweeper.grid={optim.lr:[0.1,0.05]}", pretrain, "hydra.sweeper.dry_run=true") == 0
    arms = ["pretrain", *(f"tuning/{side}_x0.5_{number:02}" for side in ("baseline", "method") for number in (0, 1))]
    assert tried == [f"{arm}/seed_100" for arm in arms]
    assert (
        capsys.readouterr().out
        == "Claim        the first runs: 5 runs, as above; 17 to 26 in all, about 0:17:00 to 0:26:00 left\n"
    )
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("asked", "size"),
    [(("dataset.num_labels=40",), 40), ((), None), (("dataset.num_labels=40", "hydra.sweeper.val_size=50"), 50)],
)
def test_validation_is_no_larger_than_the_labels(sweep, tmp_path, monkeypatch, asked, size):
    lines = []
    monkeypatch.setattr("sdrun.sweeps.making.Making.make", lambda self, jobs, **_: lines.extend(jobs.values()))
    assert sweep(*asked, without="dataset.val_size") == 2  # for nothing was made
    sizes = {word for line in lines for word in line if word.startswith("dataset.val_size")}
    assert sizes == ({f"dataset.val_size={size}"} if size else {"dataset.val_size=120"})


def test_more_of_it_than_labels_is_not_taken_silently(sweep, capsys):
    assert sweep("dataset.num_labels=40") == 2
    assert "dataset.val_size: is more than the 40 labels; to tune on more" in capsys.readouterr().err


def test_a_trial_that_a_control_does_not_suit_is_refused_before_anything_runs(sweep, tmp_path, capsys):
    method = 'hydra.sweeper.method=["method=born_again","method.targets=hard"]'
    assert sweep(method, 'hydra.sweeper.labels=["control=hard"]') == 2
    assert "control: hard makes no sense with method=born_again as it is" in capsys.readouterr().err
    assert not list(tmp_path.glob("claim/**/manifest.json"))


def test_a_claim_that_does_not_hold_together_makes_no_folder(sweep, tmp_path, capsys):
    assert sweep("hydra.sweeper.tuning_seeds=[1]") == 2
    assert "hydra.sweeper.tuning_seeds: must not be among the paired seeds" in capsys.readouterr().err
    assert sweep("hydra.sweeper.silent=null") == 2
    assert not list(tmp_path.glob("claim/*/*"))
