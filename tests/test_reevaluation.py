"""A finished run is evaluated again, without training, for every method."""

import json

import numpy as np
import pytest

from further import method
from helpers import QUICK, predictions, settings, start, summary, timeless, write_idx
from sdrun import methods, run
from sdrun.errors import InputError, RunError
from sdrun.reevaluation import evaluate
from sdrun.storage.files import json_bytes
from sdrun.storage.folder import RunFolder


def evaluated(path, **options):
    evaluate(path, **{"dataset": None, "root": None, "overrides": [], **options})
    return max((path / "evaluations").iterdir())


@pytest.mark.parametrize("name", methods.names())
def test_it_gives_what_the_run_gave(name, tmp_path):
    path = start(tmp_path / "run", *method(name), "optim.epochs=2")
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    again = evaluated(path)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    old, new = summary(path), summary(again)
    judged = [stage for stage in old["stages"] if stage["metrics"] and not stage.get("released")]
    assert [stage["name"] for stage in new["stages"]] == [stage["name"] for stage in judged]
    for first, second in zip(judged, new["stages"], strict=True):
        assert second["steps"] == 0
        known = timeless(first["metrics"])
        assert timeless(second["metrics"]) == {key: known[key] for key in timeless(second["metrics"])}
    for key, array in predictions(again).items():
        assert np.array_equal(array, predictions(path)[key])
    manifest = json.loads((again / "manifest.json").read_text())
    assert (manifest["status"], manifest["evaluates"]) == ("completed", str(path))
    assert not list(again.rglob("*.pt"))


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "run", "method=layerwise", "optim.epochs=15")


def policy_of(path):
    return json.loads((path / "stages/early_exit/policy.json").read_text())


def with_policy(path, *values):
    return evaluated(path, overrides=[f"method.exit_policy.{value}" for value in values])


def test_another_policy(ladder):
    again = with_policy(ladder, "thresholds=[2.0]")
    metrics = summary(again)["stages"][1]["metrics"]
    assert metrics["test/exit_1/share"] == 0
    assert metrics["test/accuracy"] == summary(ladder)["metrics"]["test/accuracy"]
    assert policy_of(again) == {**policy_of(ladder), "thresholds": [2.0]}
    assert json.loads((again / "manifest.json").read_text())["overrides"] == ["method.exit_policy.thresholds=[2.0]"]
    assert summary(with_policy(ladder, "budget=0.01"))["stages"][1]["metrics"]["test/exit_1/share"] == 1
    assert policy_of(with_policy(ladder, "tolerance=0")) == policy_of(ladder)


def test_other_test_images_are_judged_with_what_was_fitted_on_the_runs_own(tmp_path):
    root = write_idx(tmp_path / "own", num_train=120)
    other = write_idx(tmp_path / "other")
    images = other / "t10k-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-784] + bytes(784))
    own = ["method=layerwise", "dataset=fashion_mnist", f"dataset.root={root}", "dataset.val_size=40"]
    small = ["model.widths=[4,6]", "optim.epochs=1", "optim.batch_size=20", *QUICK]
    run.start(settings(*own, *small), tmp_path / "run", [])
    again = evaluated(tmp_path / "run", dataset="mnist", root=str(other))
    old, new = summary(tmp_path / "run")["metrics"], summary(again)["metrics"]
    assert new["val/temperature"] == old["val/temperature"]
    assert new["val/nll"] == old["val/nll"]
    assert new["test/nll"] != old["test/nll"]
    found = json.loads((again / "manifest.json").read_text())
    assert found["data"]["test"] != json.loads((tmp_path / "run/manifest.json").read_text())["data"]["test"]
    assert found["dataset"] == summary(again)["dataset"] == "mnist"


def test_what_cannot_be_evaluated_is_named(ladder, tmp_path):
    plain = start(tmp_path / "plain", "method=supervised", "optim.epochs=1")
    fashion = write_idx(tmp_path / "data")
    for options, message in (
        (
            {"overrides": ["method.exit_policy.tolerance=0"]},
            "method.exit_policy.tolerance: cannot be changed of a finished run; only hardware.*, dataset.root, ",
        ),
        ({"dataset": "fashion_mnist", "root": str(fashion)}, "--dataset: fashion_mnist has images of 1x28x28, and the"),
        (
            {"dataset": "mnist", "root": str(tmp_path)},
            "--root: dataset=mnist: train-images-idx3-ubyte and its companions are not in",
        ),
        ({"overrides": ["optim.lr=1"]}, "optim.lr: cannot be changed of a finished run"),
        ({"overrides": ["hardware.threads=x"]}, "hardware.threads: Value 'x'"),
        ({"overrides": ["hardware.speed=1"]}, "hardware.speed: unknown key"),
    ):
        with pytest.raises(InputError, match=message):
            evaluated(plain, **options)
    for values, message in (
        (["confidence=entropy", "thresholds=[0.5]"], "method.exit_policy.thresholds: 0.5 is no entropy to compare"),
        (["budget=0.5", "tolerance=0"], "method.exit_policy: needs one of .*; set tolerance or budget to null"),
        (["speed=1"], "method.exit_policy.speed: unknown key"),
        (["thresholds=[0.1,0.2,0.3]"], "method.exit_policy.thresholds: needs 1 numbers, but has 3"),
    ):
        with pytest.raises(InputError, match=message):
            with_policy(ladder, *values)
    with pytest.raises(InputError, match="method.alpha: cannot be changed .* only .*, method.exit_policy.* can"):
        evaluated(ladder, overrides=["method.alpha=1"])
    with pytest.raises(InputError, match="holds no run"):
        evaluated(tmp_path / "nowhere")
    assert not (plain / "evaluations").exists()


def test_an_unfinished_run_and_one_without_weights_are_named(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1")
    RunFolder.open(path).update_manifest(status="interrupted")
    with pytest.raises(InputError, match="is interrupted; finish it by: sdrun resume"):
        evaluated(path)
    RunFolder.open(path).update_manifest(status="completed")
    (path / "stages/supervised/last.pt").unlink()
    with pytest.raises(InputError, match="last.pt: is gone"):
        evaluated(path)
    assert not (path / "evaluations").exists()


def test_weights_without_a_hash_are_not_trusted(tmp_path):
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1")
    (stage,) = summary(path)["stages"]
    mark = json_bytes({key: value for key, value in stage.items() if key != "sha256"})
    RunFolder.open(path).write({"stages/supervised/done.json": mark})
    with pytest.raises(RunError, match="done.json does not tell what last.pt came to; restore it"):
        evaluated(path)


def test_a_run_whose_start_has_changed_is_not_played_again(tmp_path):
    first = start(tmp_path / "first", "method=supervised", "optim.epochs=1")
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1", f"init_from={first}")
    assert summary(evaluated(path))["metrics"]["test/nll"] == summary(path)["metrics"]["test/nll"]
    RunFolder.open(path).update_manifest(init={"run": str(first), "stage": "supervised", "sha256": "0"})
    with pytest.raises(InputError, match="init_from: .* changed since"):
        evaluated(path)


def test_an_evaluation_is_neither_resumed_nor_evaluated(ladder):
    again = evaluated(ladder)
    with pytest.raises(InputError, match="is an evaluation; make it again by: sdrun evaluate"):
        run.resume(again)
    with pytest.raises(InputError, match="is an evaluation itself"):
        evaluated(again)


def test_the_verb(ladder, monkeypatch, capsys):
    from sdrun import cli

    words = ["sdrun", "evaluate", str(ladder), "method.exit_policy.tolerance=0.1", "hardware.threads=1"]
    monkeypatch.setattr("sys.argv", words)
    assert cli.main() == 0
    assert "early_exit" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", [*words[:3], "--exit-policy", "tolerance=0.1"])
    assert cli.main() == 2
    assert "--exit-policy: is no option any more; use method.exit_policy.tolerance=0.01" in capsys.readouterr().err
