"""Which runs belong together, what they are called, and what they are held against."""

import json
import sys

import pytest
from folders import made_run

from sdrun import cli
from sdrun.comparison.compare import compare
from sdrun.comparison.folders import find
from sdrun.comparison.groups import grouped
from sdrun.comparison.runs import read
from sdrun.errors import InputError


def groups(folder):
    return {group.label: list(group.runs) for group in grouped(find([str(folder)]).finished)[0]}


def dated(path, day):
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "created": f"2026-01-0{day}T00:00:00+00:00"}))
    return path


def held(folder, across=(), baseline=None):
    return compare(find([str(folder)]), ["test/accuracy"], baseline, list(across))


def test_seeds_threads_pictures_and_their_splits_do_not_split_a_group(tmp_path):
    for seed in range(4):
        made_run(tmp_path / str(seed), seed, hardware__threads=seed + 1, pictures=seed < 2)
    assert groups(tmp_path) == {"supervised": [0, 1, 2, 3]}


def test_a_split_that_stays_while_the_seed_changes_is_a_group_of_its_own(tmp_path):
    for seed in (1, 2):
        made_run(tmp_path / f"own{seed}", seed)
        made_run(tmp_path / f"same{seed}", seed, dataset__seed=7)
    found = groups(tmp_path)
    assert sorted(found.values()) == [[1, 2], [1, 2]]
    assert "supervised dataset.seed=7" in found


def test_a_label_says_what_differs_rather_than_whether_a_switch_is_on(tmp_path):
    for name, is_on, rate in (("a", True, 0.1), ("b", False, 0.2)):
        made_run(tmp_path / name, 0, optim__ema=is_on, optim__learning_rate=rate)
    assert [*groups(tmp_path)] == ["supervised optim.learning_rate=0.1", "supervised optim.learning_rate=0.2"]


def test_a_label_has_only_the_keys_that_tell_groups_apart(tmp_path):
    for alpha in (0.1, 0.9):
        for generations in (2, 3):
            made_run(
                tmp_path / f"{alpha} {generations}",
                0,
                method="born_again",
                method__alpha=alpha,
                method__epochs=generations * 10,
                generations=generations,
            )
    found = groups(tmp_path)
    assert len(found) == 4
    assert all(len(label.split()) == 3 for label in found)
    assert all("alpha=" in label for label in found)


def test_of_two_equal_runs_the_newer_counts_and_the_older_is_named(tmp_path):
    dated(made_run(tmp_path / "a_newer", 0, 0.9), 2)
    dated(made_run(tmp_path / "b_older", 0, 0.1), 1)
    result = held(tmp_path)
    assert result.rows[0].cells["test/accuracy"].mean == 0.9
    ((path, reason),) = result.skipped
    assert path.name == "b_older"
    assert "a_newer has the same settings and seed, and is newer" in reason


@pytest.mark.parametrize("rates", [(0.001, 0.002), (0.10000001, 0.10000002)])
def test_another_learning_rate_is_another_group(tmp_path, rates):
    for rate in rates:
        made_run(tmp_path / str(rate), 0, optim__lr=rate)
    assert len(groups(tmp_path)) == 2


@pytest.mark.parametrize("written", ["0.001", "1e-3"])
def test_a_number_is_found_however_it_is_written(tmp_path, written):
    made_run(tmp_path / "a", 0, optim__lr=0.001)
    (run,) = find([str(tmp_path)]).finished
    assert run.matches({"optim.lr": written})
    assert not run.matches({"optim.lr": "0.002"})


def test_unpaired_seeds_of_both_sides_are_named(tmp_path):
    for seed in (0, 1, 2, 3):
        made_run(tmp_path / f"a{seed}", seed, 0.5 + seed**2 / 100)
    for seed in (1, 2, 9):
        made_run(tmp_path / f"b{seed}", seed, 0.6 + seed / 100, method="cs_kd")
    (row,) = [row for row in held(tmp_path).rows if row.baseline]
    found = row.differences["test/accuracy"].paired
    assert (found.n, found.mean) == (2, pytest.approx(0.09))
    assert row.notes == ["seeds without a partner, not in the difference: 0, 3, 9"]


def test_one_shared_seed_is_too_little_for_a_difference(tmp_path):
    made_run(tmp_path / "a", 0)
    made_run(tmp_path / "a1", 1)
    made_run(tmp_path / "b", 0, method="cs_kd")
    result = held(tmp_path)
    assert result.num_tests == 0
    assert "fewer than two seeds shared" in result.rows[1].notes[0]


def test_all_that_keeps_two_groups_apart_is_named_with_the_way_out(tmp_path):
    for seed in range(2):
        made_run(tmp_path / f"a{seed}", seed)
        made_run(tmp_path / f"b{seed}", seed, method="cs_kd", optim__epochs=20, model__widths=[16])
    with pytest.raises(InputError) as caught:
        held(tmp_path)
    text = str(caught.value)
    assert "model.widths ([16] and [8])" in text
    assert "optim.epochs (20 and 10)" in text
    assert text.endswith("--across model.widths optim.epochs")
    with pytest.raises(InputError, match="optim.epochs"):
        held(tmp_path, ["model"])
    assert held(tmp_path, ["model.widths", "optim.epochs"]).num_tests == 1


def test_two_groups_that_could_be_the_baseline_are_told(tmp_path):
    for smoothing in (0.0, 0.1):
        made_run(tmp_path / f"a{smoothing}", 0, method__label_smoothing=smoothing)
    made_run(tmp_path / "b", 0, method="cs_kd")
    with pytest.raises(InputError, match="several groups could be the baseline") as caught:
        held(tmp_path)
    assert "supervised label_smoothing=0.1" in str(caught.value)
    assert held(tmp_path, baseline={"method": "supervised", "method.label_smoothing": "0.1"}).rows


def test_a_baseline_that_no_group_is_lists_the_groups(tmp_path, monkeypatch, capsys):
    made_run(tmp_path / "a", 0)
    monkeypatch.setattr(sys, "argv", ["sdrun", "compare", str(tmp_path), "--baseline", "method=none"])
    assert cli.main() == 2
    assert "--baseline method=none: no group has these settings; there are\n  supervised" in capsys.readouterr().err


def test_without_a_baseline_there_are_numbers_and_no_differences(tmp_path):
    made_run(tmp_path / "a", 0, method="cs_kd")
    made_run(tmp_path / "b", 0, method="born_again")
    result = held(tmp_path)
    assert [row.differences for row in result.rows] == [{}, {}]
    assert "name one by --baseline" in result.notes[0]


def commanded(path, *overrides):
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "overrides": list(overrides)}))


def test_a_run_whose_seed_is_that_of_the_fixed_data_is_one_of_them(tmp_path):
    for seed in range(3):
        made_run(tmp_path / str(seed), seed, dataset__seed=0)
    assert groups(tmp_path) == {"supervised": [0, 1, 2]}


def test_of_several_whose_seeds_are_their_data_s_the_command_tells(tmp_path):
    for seed in range(3):
        made_run(tmp_path / f"own{seed}", seed)
        commanded(made_run(tmp_path / f"fixed{seed}", seed, dataset__seed=0), "+dataset.seed=0", f"seed={seed}")
    expected = {"supervised dataset.seed=seed": [0, 1, 2], "supervised dataset.seed=0": [0, 1, 2]}
    assert groups(tmp_path) == expected
    commanded(tmp_path / "own0", "dataset.seed=${seed}", "seed=0")
    assert groups(tmp_path) == expected


def test_without_a_command_several_follow_their_seed(tmp_path):
    for seed in range(3):
        made_run(tmp_path / f"own{seed}", seed)
    for seed in (1, 2):
        made_run(tmp_path / f"fixed{seed}", seed, dataset__seed=0)
    assert groups(tmp_path) == {"supervised dataset.seed=seed": [0, 1, 2], "supervised dataset.seed=0": [1, 2]}


@pytest.mark.parametrize(("chosen", "label"), [("seed", "dataset.seed=0"), ("0", "dataset.seed=seed")])
def test_a_baseline_is_told_by_the_seed_of_its_data(tmp_path, chosen, label):
    for seed in range(3):
        made_run(tmp_path / f"own{seed}", seed, 0.8 + seed / 100)
        made_run(tmp_path / f"fixed{seed}", seed, 0.9 + seed / 64, dataset__seed=0)
        commanded(tmp_path / f"fixed{seed}", "dataset.seed=0")
    result = held(tmp_path, baseline={"dataset.seed": chosen})
    assert [row.group.label for row in result.rows if row.baseline] == [f"supervised {label}"]
    assert result.num_tests == 1


def test_other_data_of_one_seed_are_no_change_of_their_files(tmp_path):
    for seed in range(2):
        made_run(tmp_path / f"a{seed}", seed)
        run = made_run(tmp_path / f"b{seed}", seed, method="cs_kd", dataset__seed=7)
        manifest = json.loads((run / "manifest.json").read_text())
        manifest["data"]["train"] = "of seed 7"
        (run / "manifest.json").write_text(json.dumps(manifest))
    assert held(tmp_path).num_tests == 1


def test_runs_start_from_others_of_fixed_data_as_from_one_group(tmp_path):
    for seed in range(3):
        source = made_run(tmp_path / f"sources/{seed}", seed, dataset__seed=0)
        made_run(tmp_path / f"runs/{seed}", seed, init_from=str(source))
    assert groups(tmp_path / "runs") == {"supervised": [0, 1, 2]}


def test_what_a_dataset_name_says_already_tells_no_runs_apart(tmp_path):
    before, today = made_run(tmp_path / "a", 0), made_run(tmp_path / "b", 1, dataset__task="images")
    groups, _ = grouped([read(before), read(today)])
    assert [list(group.runs) for group in groups] == [[0, 1]]
