"""A killed and resumed run equals one that was left alone, bit for bit; and the test can fail."""

import shutil
import signal
from pathlib import Path

import pytest
import torch

import helpers
from helpers import differences, manifest, rewrite_manifest, start, summary
from sdrun import run
from sdrun.errors import Interrupted
from sdrun.storage import checkpoints
from sdrun.storage.folder import RunFolder

OVERRIDES = ("method=born_again", "generations=2", "checkpoint_seconds=0", "optim.select=best", "log_every=5")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "whole", *OVERRIDES)


def interrupted(path: Path, stage: str, step: int, monkeypatch) -> Path:
    return helpers.interrupted(path, stage, step, monkeypatch, *OVERRIDES)


@pytest.mark.parametrize(("stage", "step"), [("generation_0", 1), ("generation_0", 12), ("generation_1", 7)])
def test_interrupted_after_a_checkpoint(whole, tmp_path, monkeypatch, stage, step):
    path = interrupted(tmp_path / "run", stage, step, monkeypatch)
    run.resume(path)
    assert differences(whole, path) == []


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("sdrun.judges.classification.Classification.full", "judging the last weights on the test set"),
        ("sdrun.results.show", "drawing"),
    ],
)
def test_a_signal_while_a_stage_is_judged_or_drawn_ends_it_there(whole, tmp_path, monkeypatch, capsys, place, what):
    def stop(*_, **__):
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("it went on")

    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(place, stop)
        with pytest.raises(Interrupted) as raised:
            start(path, *OVERRIDES, f"pictures={str(what == 'drawing').lower()}")
    assert raised.value.exit_code == 143
    assert (summary(path)["status"], summary(path)["stages"]) == ("interrupted", [])
    told = f"Interrupted in generation_0, {what}; its training is saved\nGo on with: sdrun resume {path}\n"
    assert capsys.readouterr().out.endswith(told)
    monkeypatch.setattr("sdrun.results.show", lambda *_: None)
    run.resume(path)
    assert differences(whole, path) == []


def drop_optimizer(saved):
    saved["optimizer"]["state"] = {}


def drop_weights(saved):
    for value in saved["objective"].values():
        value.zero_()


def drop_batch_norm_statistics(saved):
    for name, value in saved["objective"].items():
        if "running" in name:
            value.fill_(1.0)


def drop_sums(saved):
    saved["state"]["sums"], saved["state"]["counts"] = {}, {}


def drop_best(saved):
    saved["state"]["best"] = None


def drop_step(saved):
    saved["state"]["step"] -= 1


def drop_points(saved):
    saved["points"] = 0


@pytest.mark.parametrize(
    "drop",
    [drop_optimizer, drop_weights, drop_batch_norm_statistics, drop_sums, drop_best, drop_step, drop_points],
)
def test_a_lost_piece_of_state_is_caught(whole, tmp_path, monkeypatch, drop):
    path = interrupted(tmp_path / "run", "generation_1", 7, monkeypatch)
    newest = max((path / "stages/generation_1").glob("step_*.pt"))
    saved = torch.load(newest, weights_only=True)
    drop(saved)
    checkpoints.save(newest, saved)
    run.resume(path)
    assert differences(whole, path)


def test_a_damaged_checkpoint_costs_a_step_and_nothing_else(whole, tmp_path, monkeypatch, capsys):
    path = interrupted(tmp_path / "run", "generation_1", 7, monkeypatch)
    newest = max((path / "stages/generation_1").glob("step_*.pt"))
    newest.write_bytes(newest.read_bytes()[:-100])
    run.resume(path)
    assert differences(whole, path) == []
    assert "step_000000007.pt is damaged" in (path / "run.log").read_text()
    assert "step_000000007.pt is damaged" in capsys.readouterr().out.replace("\n", "")


def test_resuming_with_other_data_is_refused(whole, tmp_path):
    copy = Path(shutil.copytree(whole, tmp_path / "copy"))
    rewrite_manifest(copy, data={**manifest(copy)["data"], "test": "0" * 64})
    with pytest.raises(ValueError, match=r"its data changed since it began \(test\)"):
        run.resume(copy)


def test_resuming_on_another_number_of_ranks_is_refused(whole, tmp_path, monkeypatch):
    copy = Path(shutil.copytree(whole, tmp_path / "copy"))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="ran on another number of ranks; go on with it by: sdrun resume"):
        run.resume(copy)


def test_a_broken_config_is_told_in_one_line(whole, tmp_path):
    copy = Path(shutil.copytree(whole, tmp_path / "copy"))
    RunFolder.open(copy).write({"config.yaml": b"seed: [1\nlr: 2\n"})
    with pytest.raises(ValueError, match=r"config.yaml cannot be read \(while parsing a flow sequence\)"):
        run.resume(copy)


def test_checkpoints_that_a_kill_left_in_a_finished_stage_are_removed(whole, tmp_path, monkeypatch):
    path = interrupted(tmp_path / "run", "generation_1", 7, monkeypatch)
    checkpoints.Checkpoints(path / "stages/generation_0").save(12, {"left": 1})
    (path / "stages/generation_0/step_000000011.pt.sha256").touch()
    run.resume(path)
    assert not list(path.rglob("step_*"))


def test_a_signal_after_the_last_step_still_ends_a_sweep(tmp_path, monkeypatch):
    from sdrun.interrupt import Interrupt
    from sdrun.results import Results

    asked = []
    enter, contents = Interrupt.__enter__, Results._contents
    monkeypatch.setattr(Interrupt, "__enter__", lambda self: asked.append(self) or enter(self))
    monkeypatch.setattr(Results, "_contents", lambda self, *a: setattr(asked[0], "signum", 2) or contents(self, *a))
    with pytest.raises(Interrupted):
        start(tmp_path / "run", "method=supervised", "optim.epochs=1")
    assert summary(tmp_path / "run")["status"] == "completed"


def test_a_kill_before_the_manifest_leaves_a_folder_that_can_be_used(tmp_path, monkeypatch):
    def killed(self):
        raise Interrupted(9)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_manifest", killed)
        with pytest.raises(Interrupted):
            start(tmp_path / "run", "method=supervised", "optim.epochs=1")
    assert [file.name for file in sorted((tmp_path / "run").iterdir())] == [".lock", "config.yaml"]
    with pytest.raises(ValueError, match=r"run/config.yaml is there and belongs to no run; choose an empty one"):
        start(tmp_path / "run", "method=supervised", "optim.epochs=2")
    assert summary(start(tmp_path / "run", "method=supervised", "optim.epochs=1"))["status"] == "completed"
