"""Items that a stage makes: once, with a hash, resumed, replayed, shown."""

import json

import pytest
import torch

from helpers import interrupted, manifest, start, summary
from sdrun import run
from sdrun.data.source import With
from sdrun.errors import Interrupted, RunError
from sdrun.judges.parts import Parts
from sdrun.methods.supervised import recipe
from sdrun.objectives.taught import Taught

MADE = []


def refined(settings, experiment):
    """A student learns soft labels that the one before it gave to all items, cached."""
    first = experiment.fit("first", Taught(experiment.student(0), experiment.answers), experiment.stream(0))

    def beliefs():
        MADE.append("beliefs")
        return {"label": experiment.data.outputs(first.network, "train").softmax(dim=1)}

    made = experiment.make("beliefs", beliefs, [first])
    if "stop" in MADE:
        raise Interrupted(15)
    items = With(experiment.task.parts["train"], made.fields)
    second = Taught(experiment.student(1), experiment.answers)
    return experiment.fit("second", second, experiment.stream(1, source=items))


@pytest.fixture
def _refines(monkeypatch):
    MADE.clear()
    monkeypatch.setattr(recipe, "run", refined)


@pytest.mark.usefixtures("_refines")
def test_items_are_made_once_and_keyed_by_their_teachers(tmp_path, called):
    MADE.append("stop")
    with pytest.raises(Interrupted):
        start(tmp_path / "run", "method=supervised")
    assert MADE == ["stop", "beliefs"]
    MADE.remove("stop")
    run.resume(tmp_path / "run")
    assert MADE == ["beliefs"]
    first, beliefs, second = summary(tmp_path / "run")["stages"]
    assert beliefs["steps"] == 0
    assert manifest(tmp_path / "run")["teachers"]["beliefs"] == [{"stage": "first", "sha256": first["sha256"]["last"]}]
    items = torch.load(tmp_path / "run/stages/beliefs/items.pt", weights_only=True)
    assert items["label"].shape == (120, 10)
    assert second["metrics"].keys() >= {"test/accuracy"}
    code, shown = called("show", "run")
    assert code == 0
    assert "beliefs" in shown
    assert called("doctor", "run")[0] == 0


@pytest.mark.usefixtures("_refines")
def test_items_are_replayed_and_damaged_ones_refused(tmp_path, called):
    path = start(tmp_path / "run", "method=supervised")
    assert called("evaluate", "run")[0] == 0
    assert MADE == ["beliefs"]
    (target,) = path.glob("evaluations/*")
    judged = {stage["name"]: stage["metrics"] for stage in json.loads((target / "summary.json").read_text())["stages"]}
    assert judged["second"].items() <= summary(path)["stages"][2]["metrics"].items()
    file = path / "stages/beliefs/items.pt"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    code, out = called("evaluate", "run")
    assert code == 1
    assert "items.pt is not what this run wrote" in out
    with pytest.raises(RunError, match="items.pt is not what this run wrote"):
        run.resume(path, repair=True)


@pytest.mark.usefixtures("_refines")
def test_a_completed_run_makes_nothing_anew(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1")
    summary_of = json.loads((path / "summary.json").read_text())
    (path / "stages/beliefs/items.pt").unlink()
    with pytest.raises(RunError, match="items.pt is gone; put it back"):
        run.resume(path, repair=True)
    (path / "stages/beliefs/done.json").unlink()
    (path / "summary.json").unlink()
    with pytest.raises(RunError, match="beliefs: neither stages/beliefs/done.json nor"):
        run.resume(path, repair=True)
    assert MADE == ["beliefs"]
    assert summary_of["declared"]


@pytest.mark.usefixtures("_refines")
def test_a_lost_mark_is_written_again_with_what_its_metrics_mean(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1")
    for stage in ("beliefs", "second"):
        (path / f"stages/{stage}/done.json").unlink()
    run.resume(path, repair=True)
    assert (path / "stages/beliefs/done.json").exists()
    assert json.loads((path / "stages/second/done.json").read_text())["declared"]["accuracy"]["better"] == "higher"


@pytest.mark.usefixtures("_refines")
def test_a_stage_goes_on_with_no_other_items(tmp_path, monkeypatch):
    path = interrupted(tmp_path / "run", "second", 3, monkeypatch, "method=supervised", "checkpoint_seconds=0")
    folder = path / "stages/beliefs"
    for file in folder.iterdir():
        file.unlink()
    parts_of = Parts.outputs
    monkeypatch.setattr(Parts, "outputs", lambda *arguments: 2 * parts_of(*arguments))
    with pytest.raises(RunError, match="second was taught by other weights of items than there are now"):
        run.resume(path)
