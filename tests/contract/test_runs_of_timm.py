"""Runs on small models of timm: methods, resume, what is recorded, and that no run of ours is taken for one of them."""

import re
from pathlib import Path

import pytest
import timm
import torch

from further import ROOMS, further_rooms, searched
from helpers import QUICK, differences, in_pieces, manifest, settings, summary
from sdrun import run
from sdrun.comparison.folders import find
from sdrun.comparison.groups import grouped
from sdrun.comparison.runs import read
from sdrun.errors import InputError
from sdrun.storage.initial import initial
from sdrun.tasks.images import sources

CONF = searched(ROOMS / "conf")
BASE = (CONF, "dataset=squares", "model=timm", "optim.batch_size=8", "log_every=1", *QUICK)
METHODS = {
    "supervised": (),
    "born_again": ("generations=2",),
    "layerwise": ("method.exits=2", "optim.epochs=2"),
    "dino": ("method.out_dim=16", "method.hidden_dim=16", "method.bottleneck_dim=8"),
}
MODELS = {
    "test_resnet": ("born_again", "layerwise"),
    "test_vit": ("layerwise", "dino"),
    "test_mambaout": ("supervised",),
}


@pytest.fixture(scope="module", autouse=True)
def _with_squares():
    with further_rooms({sources: ROOMS / "sources"}):
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for model, methods in MODELS.items():
        for method in methods:
            begin(folder / model / method, f"model.name={model}", f"method={method}", *METHODS[method])
    return folder


def begin(path: Path, *overrides: str) -> None:
    run.start(settings(*BASE, *overrides), path, [*BASE, *overrides])


@pytest.mark.parametrize("model", MODELS)
def test_every_run_is_recorded_by_the_name_of_the_library(model, runs):
    for path in (runs / model).iterdir():
        assert manifest(path)["model"] == summary(path)["model"] == f"timm/{model}"
        assert manifest(path)["versions"]["timm"] == timm.__version__
        assert summary(path)["status"] == "completed"
        assert summary(path)["compute"]["multiply_adds"] > 0


def test_it_resumes_bitwise(runs, tmp_path, monkeypatch):
    in_pieces(tmp_path / "run", monkeypatch, *BASE, "model.name=test_resnet", "method=layerwise", *METHODS["layerwise"])
    assert differences(runs / "test_resnet/layerwise", tmp_path / "run") == []


def test_models_of_one_library_are_told_apart(runs):
    finished = find([str(runs / path) for path in ("test_resnet/layerwise", "test_vit/layerwise")]).finished
    assert len(grouped(finished)[0]) == 2
    assert [r.path.parent.name for r in finished if r.matches({"model": "timm/test_vit"})] == ["test_vit"]
    assert not any(r.matches({"model": "test_vit"}) for r in finished)


def test_our_own_resnet_is_not_taken_for_timms(runs):
    start = f"init_from={runs / 'test_resnet/born_again'}"
    others = {
        ("model=cnn",): "has another model; choose model=timm model.name=test_resnet$",
        ("model=timm", "model.name=test_vit"): "has another model; choose model.name=test_resnet$",
    }
    for model, message in others.items():
        with pytest.raises(InputError, match=message):
            initial(settings(*BASE, *model, start))
    assert initial(settings(*BASE, "model.name=test_resnet", start))


def test_a_file_of_weights_is_recorded_and_held_to(tmp_path, called):
    file, path = tmp_path / "weights.pth", tmp_path / "run"
    torch.save(timm.create_model("test_resnet").state_dict(), file)
    asked = ("dataset=digits", "dataset.train_size=20", "dataset.val_size=20", "optim.batch_size=10", "optim.epochs=1")
    asked = (*asked, *QUICK, "method=supervised", "model=timm", "model.name=test_resnet")
    run.start(settings(*asked, "model.pretrained=weights.pth"), path, list(asked))
    init = manifest(path)["init"]
    assert init["weights"] == read(path).settings["model.pretrained"] == str(file)
    assert len(init["sha256"]) == 64
    _, shown = called("show", str(path))
    assert "supervised on digits, timm/test_resnet, seed 0" in shown
    assert re.search(r"model.name +test_resnet +resnet18", shown)
    assert "model.architecture" not in shown
    assert re.search(rf"all students +{file} +{init['sha256'][:16]}", shown)
    run.resume(path)
    assert initial(settings(*asked, f"init_from={path}"))
    torch.save(timm.create_model("test_resnet").state_dict(), file)
    with pytest.raises(InputError, match=r"cannot go on: /.*/weights.pth changed since it began"):
        run.resume(path)
