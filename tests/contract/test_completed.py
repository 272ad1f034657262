"""A finished result is never lost: a completed run is left alone, and mended when that is asked for."""

import shutil
from pathlib import Path

import pytest

from helpers import differences, manifest, rewrite_manifest, start, summary, tree
from sdrun import run
from sdrun.errors import InputError, RunError
from sdrun.storage import checkpoints, hashed
from sdrun.storage.folder import RunFolder

OVERRIDES = ("method=born_again", "generations=2", "optim.select=best", "optim.epochs=2")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "whole", *OVERRIDES)


@pytest.fixture
def copy(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def prune(path):
    for file in path.glob("stages/*/*.pt*"):
        file.unlink()


@pytest.mark.parametrize("prepare", [lambda path: None, prune], ids=["whole", "pruned"])
def test_it_is_left_alone(copy, capsys, prepare):
    prepare(copy)
    before = tree(copy)
    run.resume(copy)
    assert tree(copy) == before
    assert capsys.readouterr().out == f"{copy} is completed; there is nothing to go on with\n"


def test_what_is_lost_of_it_is_named(copy, capsys):
    (copy / "predictions/generation_0.npz").unlink()
    before = tree(copy)
    run.resume(copy)
    assert tree(copy) == before
    out = capsys.readouterr().out
    assert "Gone or damaged: predictions/generation_0.npz\n" in out
    assert f"sdrun resume --repair {copy}" in out


@pytest.mark.parametrize("repair", [False, True])
def test_changed_data_are_refused_first(copy, repair):
    rewrite_manifest(copy, data={**manifest(copy)["data"], "train": "0" * 64})
    before = tree(copy)
    with pytest.raises(InputError, match=r"its data changed since it began \(train\)"):
        run.resume(copy, repair=repair)
    assert tree(copy) == before


LOST = {
    "predictions": ["predictions/generation_1.npz"],
    "marks": ["stages/generation_0/done.json", "stages/ensemble/done.json"],
    "summary": ["summary.json"],
    "views": ["tensorboard"],
    "everything but weights and one source of numbers": ["predictions", "tensorboard", "summary.json"],
}


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize(
    ("lost", "how"), [*((lost, "removed") for lost in LOST), ("predictions", "damaged"), ("marks", "damaged")]
)
def test_what_is_lost_is_made_again(whole, copy, lost, how, capsys):
    for name in LOST[lost]:
        place = copy / name
        for file in place.rglob("*") if place.is_dir() else [place]:
            if how == "damaged" and file.is_file():
                file.write_bytes(file.read_bytes()[:-7] + b"damaged")
        if how == "removed":
            remove(place)
    gone = RunFolder.open(copy).lost()
    run.resume(copy, repair=True)
    assert f"Made again: {', '.join(gone)}\n" in capsys.readouterr().out
    assert differences(whole, copy) == []
    assert summary(copy)["status"] == manifest(copy)["status"] == "completed"
    mended = RunFolder.open(copy)
    assert mended.lost() == []
    assert {name for name in mended.files if not name.startswith("tensorboard")} == {
        name for name in RunFolder.open(whole).files if not name.startswith("tensorboard")
    }
    assert len(list(copy.glob("tensorboard/*/events.*"))) == 3
    assert len(list(copy.glob("tensorboard/events.*"))) == 1


def test_repair_of_a_whole_run_clears_leftovers_and_writes_nothing(copy):
    before = tree(copy)
    (copy / "stages/generation_0/step_000000001.pt").touch()
    (copy / "config.yaml.sdrun-part").touch()
    run.resume(copy, repair=True)
    after = tree(copy)
    for name in ("run.log", ".", "stages/generation_0", ".lock"):
        before.pop(name, None), after.pop(name, None)
    assert after == before


def test_without_weights_repair_says_so_and_loses_nothing(copy):
    prune(copy)
    (copy / "predictions/generation_0.npz").unlink()
    before = {name: entry[1] for name, entry in tree(copy).items() if name != "run.log"}
    with pytest.raises(RunError, match=r"stages/generation_0/best.pt is gone; put it back"):
        run.resume(copy, repair=True)
    assert {name: entry[1] for name, entry in tree(copy).items() if name != "run.log"} == before


def test_weights_of_a_stranger_are_refused(whole, copy):
    state = checkpoints.load_state(copy / "stages/generation_0/best.pt", "cpu")
    checkpoints.save(copy / "stages/generation_0/best.pt", {name: value + 1 for name, value in state.items()})
    with pytest.raises(RunError, match=r"generation_0/best.pt is not what this run wrote: its SHA-256 is not the one"):
        run.resume(copy, repair=True)
    assert summary(copy) == summary(whole)


def test_a_kill_between_the_last_two_writes_is_a_completed_run(whole, tmp_path, monkeypatch, capsys):
    write = hashed.write_bytes

    def killed(path, data):
        if path.name == "manifest.json" and b'"status": "completed"' in data:
            raise SystemExit
        write(path, data)

    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(hashed, "write_bytes", killed)
        with pytest.raises(SystemExit):
            start(path, *OVERRIDES)
    assert (manifest(path)["status"], summary(path)["status"]) == ("running", "completed")
    capsys.readouterr()
    run.resume(path)
    assert capsys.readouterr().out == f"{path} is completed; there is nothing to go on with\n"
    assert manifest(path)["status"] == "completed"
    assert differences(whole, path) == []


def test_another_dataset_root_and_only_what_changes_no_result_may_be_given(copy):
    before = tree(copy)
    for wrong in ("optim.lr=1", "hardware.threads=2", "seed=1", "dataset.name=mnist", "checkpoint_seconds"):
        with pytest.raises(
            InputError, match=r"^\S+: cannot be changed of a run that goes on; only checkpoint_seconds, "
        ):
            run.resume(copy, [wrong])
    with pytest.raises(InputError, match="dataset.root: has no effect with the embedded digits"):
        run.resume(copy, ["dataset.root=elsewhere"])
    with pytest.raises(InputError, match="checkpoint_seconds: Value 'x'"):
        run.resume(copy, ["checkpoint_seconds=x"])
    assert tree(copy) == before


def test_repair_trains_nothing(copy):
    for name in ("stages/generation_0/done.json", "summary.json"):
        (copy / name).write_bytes(b"{}")
    weights = (copy / "stages/generation_0/best.pt").stat().st_mtime_ns
    with pytest.raises(RunError, match="neither stages/generation_0/done.json nor summary.json tells of it"):
        run.resume(copy, repair=True)
    assert (copy / "stages/generation_0/best.pt").stat().st_mtime_ns == weights
    assert manifest(copy)["status"] == "completed"


def test_a_summary_that_is_made_again_has_the_time_of_the_run(whole, copy):
    (copy / "summary.json").unlink()
    run.resume(copy, repair=True)
    assert summary(copy)["wall_seconds"] == manifest(copy)["wall_seconds"] == summary(whole)["wall_seconds"]


def test_what_repair_cannot_bring_back_is_said(copy, capsys):
    (copy / "metrics.jsonl").unlink()
    (copy / "stages/generation_0/last.pt").write_bytes(b"other")
    run.resume(copy, repair=True)
    out = capsys.readouterr().out
    assert "There was nothing to make again\n" in out
    assert "metrics.jsonl is not what finished stages wrote" in out
    assert "only a copy brings it back: stages/generation_0/last.pt\n" in out


def test_fewer_cores_are_said_and_are_enough_for_a_repair(copy):
    (copy / "predictions/ensemble.npz").unlink()
    settings = (copy / "config.yaml").read_text().replace("threads: 1", "threads: 64")
    RunFolder.open(copy).write({"config.yaml": settings.encode()})
    run.resume(copy, repair=True)
    assert (copy / "predictions/ensemble.npz").exists()
    rewrite_manifest(copy, status="interrupted")
    with pytest.raises(InputError, match="runs with 64 threads, and others give other results"):
        run.resume(copy)
