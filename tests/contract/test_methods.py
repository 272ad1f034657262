"""What every method keeps, and every example of one. A new method is found here by itself."""

import json
import sys

import pytest
import torch

from further import METHODS, example, method
from helpers import SMALL, check, compose, differences, in_pieces, manifest, points, settings, start, summary
from sdrun import methods, run
from sdrun.contract.watch import Watch
from sdrun.errors import InputError
from sdrun.settings.words import counted

UNEVEN = {"continual": "dataset.train_size=113"}
"""Settings with which there are not as many labels of each class, where noise is refused."""


@pytest.fixture(scope="module", autouse=True)
def _with_example():
    with example():
        yield


@pytest.fixture(scope="module")
def watches():
    """What was seen of each run while it trained."""
    return {}


@pytest.fixture(scope="module")
def runs(tmp_path_factory, watches):
    folder = tmp_path_factory.mktemp("runs")
    paths = {}
    for name in METHODS:
        asked = method(name)
        with Watch() as watches[name]:
            paths[name] = start(folder / name, *asked, store=folder / "store")
    return paths


@pytest.mark.parametrize("name", METHODS)
def test_it_composes_by_itself(name):
    assert compose(*method(name)).method.name == name


@pytest.mark.parametrize("name", METHODS)
def test_its_stages_are_shared_in_a_sweep(runs, name, tmp_path):
    other = start(tmp_path / "other", *method(name), store=runs[name].parent / "store")
    stages = [stage["name"] for stage in summary(runs[name])["stages"] if stage["steps"]]
    assert list(manifest(other)["shared"]) == stages
    assert differences(runs[name], other) == []


@pytest.mark.parametrize("name", METHODS)
def test_its_settings_say_paper_idea_asymmetry_when_to_use_it_and_what_to_watch_for(name):
    text = sys.modules[methods.settings_class(name).__module__].__doc__ or ""
    for word in ("Paper:", "Idea:", "Asymmetry:", "Use when:", "Watch for:", "Try:"):
        assert word in text


@pytest.mark.parametrize("name", METHODS)
def test_its_run_folder_keeps_the_contract(name, runs):
    path = runs[name]
    for file in ("config.yaml", "manifest.json", "metrics.jsonl", "summary.json", "run.log", "tensorboard"):
        assert (path / file).exists()
    found = summary(path)
    assert found["status"] == "completed"
    for key in ("method", "model", "dataset", "seed", "overrides", "wall_seconds", "metrics"):
        assert key in found
    for key in ("steps", "samples", "multiply_adds", "seconds"):
        assert found["compute"][key] > 0
        assert found["compute"][key] == pytest.approx(sum(stage.get(key, 0) for stage in found["stages"]))
    assert found["metrics"].keys() >= {f"test/{m}" for m in ("accuracy", "nll", "brier", "ece", "adaptive_ece", "aurc")}
    assert found["metrics"].keys() >= {"test/nll_calibrated", "val/accuracy", "val/temperature", "test/best/accuracy"}
    for stage in found["stages"]:
        assert stage.keys() >= {"name", "steps", "seconds", "samples_per_second", "metrics"}
        assert not stage["steps"] or stage.keys() >= {"samples", "multiply_adds"}
        assert not stage["metrics"] or (path / f"predictions/{stage['name']}.npz").exists()
        for word in filter(None, stage.get("networks", {})):
            assert any(metric.startswith(f"test/{word}/") for metric in stage["metrics"])
        if stage["steps"]:
            assert "" in stage["networks"]
            for kind, digest in stage["sha256"].items():
                recorded = (path / f"stages/{stage['name']}/{kind}.pt.sha256").read_text()
                assert recorded.startswith(digest)


@pytest.mark.parametrize("name", METHODS)
def test_a_run_says_before_it_trains_which_stages_there_will_be(name, runs):
    trained = [stage for stage in summary(runs[name])["stages"] if stage["steps"]]
    names, steps = [stage["name"] for stage in trained], {stage["steps"] for stage in trained}
    assert names == list(settings(*SMALL, *method(name)).stages)
    most = f"{'at most ' * (len(steps) > 1)}{max(steps)}"
    told = f"Training     {counted(len(names), 'stage')} of {most} steps: {', '.join(names)}\n"
    log = (runs[name] / "run.log").read_text()
    assert (
        0 < log.index("Model ") < log.index(told) < log.index("judging on the test set" if name == "dino" else "epoch")
    )


@pytest.mark.parametrize("name", METHODS)
def test_no_step_is_logged_twice(name, runs):
    found = [point[:2] + point[3:4] for point in points(runs[name])]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", METHODS)
def test_teachers_are_recorded_and_kept_out_of_checkpoints(name, runs):
    stages = {stage["name"]: stage for stage in summary(runs[name])["stages"]}
    teachers = json.loads((runs[name] / "manifest.json").read_text())["teachers"]
    assert teachers.keys() == {stage for stage in stages if stages[stage]["steps"] or not stages[stage]["metrics"]}
    for entries in teachers.values():
        for entry in (entry for entry in entries if "run" not in entry and entry["stage"] != "items"):
            assert entry["sha256"] == stages[entry["stage"]]["sha256"]["last"]
    there = [stage for stage in stages if stages[stage]["steps"] and not stages[stage].get("released")]
    own = [stage for stage in there if not stages[stage].get("other")]
    sizes = {len(torch.load(runs[name] / f"stages/{stage}/last.pt", weights_only=True)) for stage in own}
    assert len(sizes) == 1


@pytest.mark.parametrize("name", METHODS)
def test_no_gradient_reaches_a_teacher(name, runs, watches):
    watch = watches[name]
    is_alone = "\nAsymmetry: none" in (sys.modules[methods.settings_class(name).__module__].__doc__ or "")
    assert watch.faults == []
    assert watch.taught
    assert any(watch.taught) != is_alone


@pytest.mark.parametrize("name", METHODS)
def test_it_resumes_bitwise_whatever_ran_before(name, runs, tmp_path, monkeypatch):
    torch.manual_seed(123)
    torch.rand(7)
    in_pieces(tmp_path / "run", monkeypatch, *SMALL, *method(name))
    assert differences(runs[name], tmp_path / "run") == []


@pytest.mark.parametrize("name", METHODS)
def test_an_unknown_key_and_a_wrong_type_are_named(name):
    with pytest.raises(InputError, match="method.no_such_key: unknown key"):
        run.configuration.settings_from(compose(*method(name), "+method.no_such_key=1"))
    with pytest.raises(InputError, match="optim.lr: Value 'x'"):
        run.configuration.settings_from(compose(*method(name), "optim.lr=x"))


@pytest.mark.parametrize("name", [name for name in METHODS if name != "dino"])
def test_weights_of_classes_reach_its_loss(name, tmp_path):
    asked = (*method(name), UNEVEN.get(name, "dataset.label_noise=0.5"), "optim.max_steps=1", "log_every=1")
    paths = [start(tmp_path / w, *asked, f"optim.class_weights={w}") for w in ("false", "true")]
    losses = [[point[4] for point in points(path) if point[3] == "train/loss"] for path in paths]
    assert losses[1] != pytest.approx(losses[0], rel=1e-4)


def test_weights_of_classes_are_refused_where_no_labels_are_learned_from():
    with pytest.raises(InputError, match="optim.class_weights: has no effect with method=dino, which uses no labels"):
        check("method=dino", "optim.class_weights=true")
