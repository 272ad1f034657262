import csv
import io
import json
import sys

import numpy as np
import pytest
from folders import made_run, predicted

from sdrun import cli
from sdrun.comparison.compare import compare
from sdrun.comparison.folders import find
from sdrun.comparison.rendering import notes, sentences, text
from sdrun.errors import InputError

NOISE = [0.0, 0.002, -0.001, 0.003, -0.002, 0.001]


def five(folder, name, accuracy, seeds=range(5), **more):
    shift = sum(map(ord, name))
    for seed in seeds:
        made_run(folder / f"{name}{seed}", seed, accuracy + NOISE[(seed * 7 + shift) % 6] + NOISE[seed], **more)


def held(folder, *across, metrics=("test/accuracy",), baseline=None, primary=None):
    return compare(find([str(folder)]), list(metrics), baseline, list(across), primary)


def row_of(result, label):
    return next(row for row in result.rows if row.group.label == label)


def test_groups_differ_in_more_than_seed_threads_and_places(tmp_path):
    five(tmp_path, "plain", 0.80)
    five(tmp_path, "more", 0.85, method="born_again", method__alpha=0.5, generations=3)
    five(tmp_path, "most", 0.86, method="born_again", method__alpha=0.9, generations=3)
    made_run(tmp_path / "plain5", 5, 0.8, hardware__threads=2, log_every=5)
    result = held(tmp_path)
    assert {row.group.label: len(row.group.runs) for row in result.rows} == {
        "supervised": 6,
        "born_again alpha=0.5": 5,
        "born_again alpha=0.9": 5,
    }
    row = row_of(result, "born_again alpha=0.9")
    assert row.differences["test/accuracy"].verdict == "better"
    assert row.differences["test/accuracy"].paired.n == 5
    assert row.notes == ["seeds without a partner, not in the difference: 5"]


def test_a_setting_that_is_null_is_as_one_that_an_older_run_lacks(tmp_path):
    made_run(tmp_path / "older", 0)
    made_run(tmp_path / "newer", 1, optim__early_stop=None)
    (row,) = held(tmp_path).rows
    assert list(row.group.runs) == [0, 1]


def test_runs_that_start_from_others_pair_by_the_settings_of_those(tmp_path):
    for seed in range(3):
        source = made_run(tmp_path / f"sources/{seed}", seed, method="dino")
        made_run(tmp_path / f"runs/from{seed}", seed, 0.9, init_from=str(source))
        made_run(tmp_path / f"runs/plain{seed}", seed, 0.8 + seed / 100)
    groups = {
        row.group.settings["init"]: list(row.group.runs)
        for row in compare(find([str(tmp_path / "runs")]), ["test/accuracy"], {"init_from": "null"}, []).rows
    }
    assert len(groups) == 2
    assert all(seeds == [0, 1, 2] for seeds in groups.values())


def test_the_mean_difference_is_that_of_pairs(tmp_path):
    for seed in range(3):
        made_run(tmp_path / f"a{seed}", seed, 0.5 + seed / 10)
        made_run(tmp_path / f"b{seed}", seed, 0.51 + seed / 10 + seed / 1000, method="cs_kd")
    found = row_of(held(tmp_path), "cs_kd").differences["test/accuracy"]
    assert found.paired.mean == pytest.approx(0.011)
    assert found.paired.sd == pytest.approx(0.001)
    assert found.effect == pytest.approx(0.011 / 0.1)


def test_what_cannot_be_told_is_said_with_the_seeds_that_it_would_take(tmp_path):
    for seed in range(5):
        made_run(tmp_path / f"a{seed}", seed, 0.8 + NOISE[seed])
        made_run(tmp_path / f"b{seed}", seed, 0.8005 + NOISE[5 - seed], method="cs_kd")
    verdict = row_of(held(tmp_path), "cs_kd").differences["test/accuracy"].verdict
    assert verdict.startswith("cannot tell with 5 seeds; about ")
    assert verdict.endswith(" would be needed")


def test_a_smaller_loss_is_better(tmp_path):
    five(tmp_path, "a", 0.8)
    for seed in range(5):
        made_run(tmp_path / f"b{seed}", seed, method="cs_kd", metrics={"test/nll": 0.3 + seed / 1000})
    assert row_of(held(tmp_path, primary="test/nll"), "cs_kd").differences["test/nll"].verdict == "better"


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"optim__epochs": 20}, "optim.epochs (20 and 10)"), ({"model__widths": [16]}, "model.widths ([16] and [8])")],
)
def test_methods_of_other_budgets_or_models_are_refused(tmp_path, setting, words):
    five(tmp_path, "a", 0.8)
    five(tmp_path, "b", 0.9, method="cs_kd", **setting)
    key = next(iter(setting)).replace("__", ".")
    with pytest.raises(InputError, match="not comparable") as caught:
        held(tmp_path)
    assert words in str(caught.value)
    assert f"--across {key}" in str(caught.value)
    for allowed in (key, key.split(".")[0]):
        assert any(row.differences for row in held(tmp_path, allowed).rows)


def test_one_method_may_differ_in_its_budget(tmp_path):
    five(tmp_path, "a", 0.8)
    five(tmp_path, "b", 0.9, optim__epochs=20)
    result = held(tmp_path, baseline={"optim.epochs": "10"})
    assert row_of(result, "supervised optim.epochs=20").differences["test/accuracy"].verdict == "better"


def test_each_group_is_held_against_the_baseline_of_its_model(tmp_path):
    for name, widths in (("small", [8]), ("large", [16])):
        five(tmp_path, f"a_{name}", 0.8, model__widths=widths)
        five(tmp_path, f"b_{name}", 0.9, method="cs_kd", model__widths=widths)
    for row in held(tmp_path).rows:
        if row.baseline:
            assert row.group.settings["model.widths"] == row.baseline.settings["model.widths"]
    assert held(tmp_path).num_tests == 2


def test_other_test_data_are_refused(tmp_path):
    five(tmp_path, "a", 0.8)
    five(tmp_path, "b", 0.9, method="cs_kd", test="other")
    with pytest.raises(InputError, match="have other test data"):
        held(tmp_path)


def test_other_splits_of_one_seed_are_refused(tmp_path):
    five(tmp_path, "a", 0.8)
    five(tmp_path, "b", 0.9, method="cs_kd")
    manifest = json.loads((tmp_path / "b0/manifest.json").read_text())
    manifest["data"]["train"] = "changed"
    (tmp_path / "b0/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="other items in train"):
        held(tmp_path)


def test_unfinished_and_broken_runs_are_named_and_left_out(tmp_path):
    five(tmp_path, "a", 0.8)
    five(tmp_path, "b", 0.9, method="cs_kd")
    made_run(tmp_path / "stopped", 7, 0.1, status="interrupted")
    made_run(tmp_path / "failed", 8, 0.1, status="failed")
    (made_run(tmp_path / "json", 9) / "summary.json").write_text('{"status": ')
    (made_run(tmp_path / "half", 9) / "summary.json").unlink()
    (made_run(tmp_path / "yaml", 9) / "config.yaml").write_text("a: [")
    (made_run(tmp_path / "list", 9) / "manifest.json").write_text("[]")
    made_run(tmp_path / "twice", 0, 0.8)
    made_run(tmp_path / "null", 5, None)
    made_run(tmp_path / "nan", 6, float("nan"))
    result = held(tmp_path)
    assert {run.path.name for run in result.unfinished} == {"stopped", "failed"}
    assert {path.name for path, _ in result.skipped} >= {"json", "half", "yaml", "list"}
    assert sum(path.name in ("a0", "twice") for path, _ in result.skipped) == 1
    assert row_of(result, "supervised").cells["test/accuracy"].n == 5
    told = "\n".join(notes(result))
    assert "test/accuracy is absent or no number in 2 runs" in told
    assert "2 unfinished, 5 skipped" in told


def test_a_metric_that_no_run_has_is_refused(tmp_path):
    five(tmp_path, "a", 0.8)
    with pytest.raises(InputError, match="--metric test/nothing: no run has it; they have test/accuracy"):
        held(tmp_path, metrics=["test/nothing"])


def test_of_the_usual_metrics_those_are_shown_that_runs_have(tmp_path):
    made_run(tmp_path / "a", 0, metrics={"test/nll_calibrated": None})
    assert list(compare(find([str(tmp_path)]), None, None, []).metrics) == ["test/accuracy", "test/nll", "test/ece"]


def test_a_stage_has_metrics_of_its_own(tmp_path):
    five(tmp_path, "a", 0.8)
    assert (
        row_of(held(tmp_path, metrics=["supervised:test/nll"]), "supervised").cells["supervised:test/nll"].mean == 0.5
    )


def test_two_runs_alone_are_compared_item_by_item(tmp_path):
    first = np.arange(200) < 150
    second = np.arange(200) < 170
    predicted(made_run(tmp_path / "a", 0, 0.75), first)
    predicted(made_run(tmp_path / "b", 0, 0.85, method="cs_kd"), second)
    result = held(tmp_path)
    assert (result.rows[1].items.first_alone, result.rows[1].items.second_alone) == (20, 0)
    told = "cs_kd is 10.0 points of accuracy above supervised on 200 test items: more than their noise"
    assert sentences(result) == [f"{told} (McNemar p < 0.0001)"]


def test_every_format_holds_every_row(tmp_path):
    five(tmp_path, "a", 0.8)
    five(tmp_path, "b", 0.9, method="cs_kd")
    result = held(tmp_path, metrics=["test/accuracy", "test/nll"])
    assert len(list(csv.DictReader(io.StringIO(text(result, "csv"))))) == 4
    document = json.loads(text(result, "json"))
    assert document["num_comparisons"] == 1
    assert [row["verdict"] for row in document["rows"] if row["runs"] == "cs_kd"] == ["better", None]
    assert text(result, "md").count("| cs_kd |") == 2
    assert text(result, "html").count("<td>cs_kd</td>") == 2


@pytest.mark.parametrize("arguments", [["nowhere"], ["empty"], ["file"], ["a0", "--metric", "test/no"]])
def test_bad_input_is_said_in_one_message(tmp_path, monkeypatch, capsys, arguments):
    five(tmp_path, "a", 0.8)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "argv", ["sdrun", "compare", *arguments])
    assert cli.main() == 2
    assert capsys.readouterr().err.startswith("sdrun: ")
