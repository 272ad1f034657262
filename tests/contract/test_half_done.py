"""A half-done run whose files are gone or damaged goes on, or says which; nothing is learned from a stranger."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

import helpers
from helpers import differences, manifest, start, summary, tree, write_idx
from sdrun import reevaluation, run, tasks
from sdrun.errors import InputError, Interrupted, RunError
from sdrun.storage import checkpoints
from sdrun.storage.folder import RunFolder

OVERRIDES = ("method=born_again", "generations=2", "checkpoint_seconds=0", "optim.select=best", "log_every=5")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "whole", *OVERRIDES)


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return helpers.interrupted(tmp_path_factory.mktemp("runs") / "half", "generation_1", 7, patch, *OVERRIDES)


@pytest.fixture
def copy(half, tmp_path):
    return Path(shutil.copytree(half, tmp_path / "copy"))


def flip(file, place=-3, bit=0x80):
    data = bytearray(file.read_bytes())
    data[place] ^= bit
    file.write_bytes(data)


def newest(path):
    return max((path / "stages/generation_1").glob("step_*.pt"))


MENDED = {
    "no mark": lambda path: (path / "stages/generation_0/done.json").unlink(),
    "damaged mark": lambda path: flip(path / "stages/generation_0/done.json", 40, 1),
    "no mark and no summary": lambda path: [
        (path / name).unlink() for name in ("stages/generation_0/done.json", "summary.json")
    ],
    "no first stage": lambda path: shutil.rmtree(path / "stages/generation_0"),
    "no summary": lambda path: (path / "summary.json").unlink(),
    "no predictions": lambda path: shutil.rmtree(path / "predictions"),
    "a hash that is no text": lambda path: flip(newest(path).with_name(newest(path).name + ".sha256"), 0),
    "no hash": lambda path: newest(path).with_name(newest(path).name + ".sha256").unlink(),
    "no checkpoints": lambda path: shutil.rmtree(path / "stages/generation_1"),
    "a torn line": lambda path: (path / "metrics.jsonl").open("a").write('{"stage": "generation_1", "st'),
    "no views": lambda path: shutil.rmtree(path / "tensorboard"),
}


@pytest.mark.parametrize("harm", MENDED)
def test_what_can_be_made_again_is(whole, copy, harm):
    MENDED[harm](copy)
    run.resume(copy)
    told = differences(whole, copy)
    if harm in ("no first stage", "no mark and no summary"):  # trained again, its points come last
        assert sorted(helpers.points(whole)) == sorted(helpers.points(copy))
        told.remove("metrics.jsonl")
    assert told == []
    assert "damage" not in manifest(copy)


NAMED = {
    "config.yaml": (lambda path: flip(path / "config.yaml", 6, 1), "config.yaml is damaged: its SHA-256 is not"),
    "no config.yaml": (lambda path: (path / "config.yaml").unlink(), "config.yaml is not there"),
    "manifest.json": (lambda path: flip(path / "manifest.json", 300, 1), "manifest.json"),
    "weights": (lambda path: flip(path / "stages/generation_0/best.pt", 3000), "best.pt is not what this run wrote"),
    "no weights": (lambda path: (path / "stages/generation_0/best.pt").unlink(), "generation_0/best.pt is gone"),
}


@pytest.mark.parametrize("harm", NAMED)
def test_what_cannot_is_named_and_the_summary_keeps_what_was_finished(copy, harm):
    before = summary(copy)["stages"]
    NAMED[harm][0](copy)
    with pytest.raises((InputError, RunError), match=NAMED[harm][1]):
        run.resume(copy)
    assert summary(copy)["stages"] == before


@pytest.mark.parametrize("lost", [Path.unlink, lambda file: file.write_text(""), lambda file: flip(file, 50)])
def test_a_lost_record_is_said_now_and_later(whole, copy, lost, capsys):
    lost(copy / "metrics.jsonl")
    run.resume(copy)
    assert differences(whole, copy) == ["metrics.jsonl"]
    assert b"\0" not in (copy / "metrics.jsonl").read_bytes()
    assert any("metrics.jsonl" in text for text in manifest(copy)["damage"])
    assert "metrics.jsonl" in capsys.readouterr().out


def other_weights(path):
    """Of a stranger, whole by their own hash."""
    file = path / "stages/generation_0/best.pt"
    checkpoints.save(file, {name: value + 1 for name, value in torch.load(file, weights_only=True).items()})


def test_a_stranger_teaches_nothing(copy):
    other_weights(copy)
    with pytest.raises(RunError, match="generation_0/best.pt is not what this run wrote"):
        run.resume(copy)


def test_a_stranger_is_not_evaluated(whole, tmp_path):
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    other_weights(path)
    with pytest.raises(RunError, match="generation_0/best.pt is not what this run wrote"):
        reevaluation.evaluate(path, None, None, [])


def test_a_stage_that_nothing_tells_of_is_not_evaluated(whole, tmp_path):
    path = Path(shutil.copytree(whole, tmp_path / "run"))
    (path / "stages/generation_0/done.json").unlink()
    summary_of = summary(path)
    del summary_of["stages"][0]["sha256"]
    RunFolder.open(path).write({"summary.json": json.dumps(summary_of).encode()})
    with pytest.raises(RunError, match="stages/generation_0/done.json does not tell what best.pt came to"):
        reevaluation.evaluate(path, None, None, [])


def test_a_half_taught_student_has_one_teacher(copy):
    """Weights, mark and summary of another first generation hold together, and the student knew another one."""
    other = start(copy.parent / "other", *OVERRIDES, "seed=1", "generations=1")
    shutil.rmtree(copy / "stages/generation_0")
    shutil.copytree(other / "stages/generation_0", copy / "stages/generation_0")
    entries = manifest(copy)
    for name in [name for name in entries["files"] if "generation_0" in name or name == "summary.json"]:
        del entries["files"][name]
    helpers.rewrite_manifest(copy, **entries)
    with pytest.raises(RunError, match="generation_1 was taught by other weights of generation_0 than there are now"):
        run.resume(copy)


LINKED = ["metrics.jsonl", "run.log", "summary.json", ".lock", "tensorboard", "stages/generation_1", "predictions"]


@pytest.mark.parametrize("name", [*LINKED, "manifest.json", "stages", "evaluations"])
def test_nothing_is_written_through_a_link(copy, tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    if (copy / name).exists():
        shutil.move(copy / name, outside / "target")
    else:
        (outside / "target").mkdir()
    (copy / name).symlink_to(outside / "target")
    before = tree(tmp_path)
    with pytest.raises(InputError, match=f"{name} is a link, through which sdrun writes nothing"):
        run.resume(copy)
    assert tree(tmp_path) == before


def test_the_files_of_a_snapshot_are_its_own(whole, copy, tmp_path):
    """``cp -al`` gives hard links, and what is appended to one would be in both."""
    shutil.copytree(copy, tmp_path / "snapshot", copy_function=os.link)
    before = {name: entry[1] for name, entry in tree(tmp_path / "snapshot").items()}
    run.resume(copy)
    assert differences(whole, copy) == []
    assert {name: entry[1] for name, entry in tree(tmp_path / "snapshot").items()} == before


def test_foreign_files_are_left_alone(tmp_path):
    home = tmp_path / "home"
    for name in ("Downloads/movie.mkv.part", "notes.txt", "stages.txt"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("mine")
    before = tree(home)
    start(home, "method=supervised", "optim.epochs=1")
    assert {name: entry for name, entry in tree(home).items() if name in before} | {"Downloads": ...} == before | {
        "Downloads": ...
    }


@pytest.mark.parametrize("name", ["tensorboard", "predictions/mine", "metrics.jsonl", "run.log", ".hydra"])
def test_a_folder_with_things_of_the_same_names_is_refused(tmp_path, name):
    (tmp_path / "home" / name).mkdir(parents=True)
    before = tree(tmp_path)
    with pytest.raises(InputError, match=f"{name.split('/')[0]} is there and belongs to no run"):
        start(tmp_path / "home", "method=supervised")
    assert {key: value for key, value in tree(tmp_path).items() if key in before and key != "home"} == {
        key: value for key, value in before.items() if key != "home"
    }


def test_data_that_moved_are_named_to_resume(tmp_path, monkeypatch):
    write_idx(tmp_path / "data")
    small = ["dataset=mnist", "dataset.root=data", "dataset.train_size=12", "dataset.val_size=8", "optim.batch_size=4"]
    overrides = [*small, "method=supervised", "model.widths=[8]", "optim.max_steps=4", "checkpoint_seconds=0"]
    config = helpers.settings(*overrides, *helpers.QUICK)
    save = checkpoints.Checkpoints.save

    def save_and_stop(self, step, state):
        save(self, step, state)
        raise Interrupted(15)

    run.start(config, tmp_path / "whole", overrides)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Checkpoints, "save", save_and_stop)
        with pytest.raises(Interrupted):
            run.start(config, tmp_path / "run", overrides)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "data").rename(tmp_path / "moved")
    tasks._loaded.clear()
    with pytest.raises(InputError, match=f"{tmp_path}/data"):
        run.resume(tmp_path / "run")
    run.resume(tmp_path / "run", ["dataset.root=../moved", "checkpoint_seconds=60"])
    assert differences(tmp_path / "whole", tmp_path / "run") == []
    assert f"root: {tmp_path}/moved" in (tmp_path / "run/config.yaml").read_text()
