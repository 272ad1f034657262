"""What is wrong with a folder is said, with what to do; what is whole is not."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from folders import made_run

from helpers import manifest, rewrite_manifest, start, tree
from sdrun.storage.files import digest


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    overrides = ("method=born_again", "generations=2", "optim.epochs=1", "dataset.test_view=strong")
    return start(tmp_path_factory.mktemp("runs") / "whole", *overrides)


@pytest.fixture
def copy(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "copy"))


@pytest.fixture
def asked(called):
    return lambda *paths: called("doctor", *map(str, paths))


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_a_whole_run_is_whole_and_is_not_touched(copy, asked):
    before = tree(copy)
    num = len(manifest(copy)["files"]) + 2 + 4  # manifest and record, and two weights of two stages
    assert asked(copy) == (0, f"{copy} (completed): {num} whole\n")
    assert tree(copy) == before


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("config.yaml", "put it back from a copy"),
        ("summary.json", "sdrun resume --repair"),
        ("metrics.jsonl", "cannot be made again"),
        ("predictions/ensemble.npz", "sdrun resume --repair"),
        ("stages/generation_1/done.json", "sdrun resume --repair"),
        ("stages/generation_1/best.pt", "put it back from a copy"),
    ],
)
@pytest.mark.parametrize("harm", [flip, Path.unlink])
def test_harm_is_named_with_what_to_do(copy, asked, name, advice, harm):
    harm(copy / name)
    code, out = asked(copy)
    assert code == 1
    (line,) = [line for line in out.splitlines() if line.strip().startswith(f"{name} ")]
    assert advice in line
    assert "1 file is damaged or gone" in out


def test_a_damaged_manifest_is_named(copy, asked):
    text = (copy / "manifest.json").read_text()
    (copy / "manifest.json").write_text(text.replace('"seed": 0', '"seed": 1'))
    assert asked(copy)[0] == 2
    assert "manifest.json is damaged: its SHA-256 is not the one inside it" in asked(copy)[1]


def test_numbers_that_do_not_follow_from_the_predictions_are_named(copy, asked):
    """Whoever changes a number and its hash has still to change the predictions."""
    file = copy / "stages/ensemble/done.json"
    result = json.loads(file.read_text())
    result["metrics"]["test_strong/nll"] -= 0.01
    file.write_text(json.dumps(result))
    rewrite_manifest(copy, files={**manifest(copy)["files"], "stages/ensemble/done.json": digest(file.read_bytes())})
    code, out = asked(copy)
    assert code == 1
    assert "test_strong/nll do not follow from predictions/ensemble.npz" in out
    assert "has other metrics of ensemble than done.json" in out


def test_predictions_give_every_metric_that_they_allow(whole):
    from sdrun.judges.recomputed import recomputed

    metrics = json.loads((whole / "stages/generation_1/done.json").read_text())["metrics"]
    with np.load(whole / "predictions/generation_1.npz") as arrays:
        values = recomputed(arrays, metrics)
    asked = {key for key in metrics if key.count("/") == 1 and key.split("/")[1] not in ("temperature", "agreement")}
    assert values.keys() == asked
    assert values == pytest.approx({key: metrics[key] for key in asked}, rel=1e-9)


def test_folders_from_before_are_unverified_and_not_broken(tmp_path, asked):
    path = made_run(tmp_path / "old", 0)
    assert asked(path) == (0, f"{path} (completed): 3 unverified\n")
    assert asked(tmp_path / "nothing")[0] == 2


def test_leftovers_and_links_are_said(copy, asked):
    (copy / "summary.json.sdrun-part").touch()
    (copy / "run.log").rename(copy.parent / "run.log")
    (copy / "run.log").symlink_to(copy.parent / "run.log")
    code, out = asked(copy)
    assert code == 1
    assert "1 file that a kill left" in out
    assert "is a link" in out
