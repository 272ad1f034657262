"""The folder that TensorBoard is shown: each run once."""

import json
import shutil

import pytest
import torch
from boards import curves, log, seen, shown, table, values
from folders import made_run
from torch.utils.tensorboard import SummaryWriter


@pytest.fixture
def place(tmp_path):
    return tmp_path / "place"


def names(board):
    """Names of the folders in which TensorBoard finds runs, by the folders of these."""
    assert {entry.name for entry in board.place.iterdir()} == {view.place.name for view in board.views.values()}
    return {view.place.name: path.name for path, view in board.views.items()}


def test_each_run_has_a_folder_by_its_name(tmp_path, place):
    seen(tmp_path / "runs/a", 0)
    seen(tmp_path / "runs/b", 1, method="cs_kd", status="running")
    made_run(tmp_path / "runs/c", 2)  # that logged nothing
    assert names(shown(place)) == {"supervised seed=0": "a", "cs_kd seed=1": "b"}


def test_a_run_more_renames_those_that_it_must_be_told_apart_from(tmp_path, place):
    seen(tmp_path / "runs/a", 0, method="born_again", method__alpha=0.5)
    board = shown(place)
    assert names(board) == {"born_again seed=0": "a"}
    seen(tmp_path / "runs/b", 0, method="born_again", method__alpha=0.9)
    board.update()
    assert names(board) == {"born_again alpha=0.5 seed=0": "a", "born_again alpha=0.9 seed=0": "b"}
    shutil.rmtree(tmp_path / "runs/b")
    board.update()
    assert names(board) == {"born_again seed=0": "a"}


def test_runs_change_names(tmp_path, place):
    for number, alpha in enumerate((0.5, 0.9)):
        seen(tmp_path / f"runs/{number}", 0, method="born_again", method__alpha=alpha)
    board = shown(place)
    for number, alpha in enumerate((0.9, 0.5)):
        shutil.rmtree(tmp_path / f"runs/{number}")
        seen(tmp_path / f"runs/{number}", 0, method="born_again", method__alpha=alpha)
    board.update()
    assert names(board) == {"born_again alpha=0.9 seed=0": "0", "born_again alpha=0.5 seed=0": "1"}


def test_nothing_is_written_where_nothing_changed(tmp_path, place):
    seen(tmp_path / "runs/a", 0, points=[("supervised", 1, "train/loss", 0.5)])
    board = shown(place)
    board.draw()
    before = {file: file.stat().st_mtime_ns for file in place.rglob("*")}
    board.update()
    board.draw()
    assert {file: file.stat().st_mtime_ns for file in place.rglob("*")} == before


def test_a_name_is_no_path(tmp_path, place):
    seen(tmp_path / "runs/a", 0)
    seen(tmp_path / "runs/b", 0, dataset__file="data/images.npz")
    seen(tmp_path / "runs/c", 0, dataset__file="data_images.npz")
    assert set(names(shown(place)).values()) == {"a", "b", "c"}


def test_equal_runs_in_folders_of_one_name_are_all_shown(tmp_path, place):
    """Such as the jobs 0, 1, ... of sweeps that were made again."""
    for day, sweep in enumerate(("first", "second", "third"), 1):
        seen(tmp_path / f"runs/{sweep}/0", 0, day=day)
    assert len(names(shown(place))) == 3


# What is shown of a run ----------------------------------------------------------------------------------------------

LINE = [
    ("generation_0", 5, "train/loss", 0.9),
    ("generation_0", 10, "train/loss", 0.7),
    ("generation_0", 10, "test/accuracy", 0.81),
    ("generation_1", 5, "train/loss", 0.5),
    ("generation_1", 5, "val/accuracy", 0.7),
    ("generation_1", 5, "unlabelled/mask", 0.1),
    ("generation_1", 10, "train/loss", 0.4),
    ("generation_1", 10, "val/accuracy", 0.8),
    ("generation_1", 10, "unlabelled/mask", 0.2),
    ("generation_1", 10, "test/accuracy", 0.82),
    ("ensemble", 0, "test/accuracy", 0.83),
]


@pytest.fixture
def born_again(tmp_path):
    """A run of two generations and their ensemble."""
    path = seen(tmp_path / "runs/a", 0, method="born_again", points=LINE)
    summary = json.loads((path / "summary.json").read_text())
    stages = [{"name": name, "steps": steps} for name, steps in [("generation_0", 10), ("generation_1", 10)]]
    stages = [{**stage, "metrics": {"test/accuracy": 0.8 + place / 100}} for place, stage in enumerate(stages, 1)]
    stages.append({"name": "ensemble", "steps": 0, "metrics": {"test/accuracy": 0.83, "test/exit_1/accuracy": 0.5}})
    (path / "summary.json").write_text(json.dumps({**summary, "stages": stages}))
    return path


def only(board):
    (view,) = board.views.values()
    return view


def test_stages_follow_one_another_in_one_curve_and_validation_comes_first(born_again, place):
    assert curves(only(shown(place))) == {
        "2 train/loss": [(5, 0.9), (10, 0.7), (15, 0.5), (20, 0.4)],
        "1 val/accuracy": [(15, 0.7), (20, 0.8)],
        "unlabelled/mask": [(15, 0.1), (20, 0.2)],
    }


def test_what_was_measured_once_is_a_table(born_again, place):
    rows = table(only(shown(place)), "results")
    assert rows[0] == ["metric", "generation_0", "generation_1", "ensemble"]
    assert rows[2:] == [["test/accuracy", "0.81", "0.82", "0.83"], ["test/exit_1/accuracy", "", "", "0.5"]]
    assert ["optim.epochs", "10"] in table(only(shown(place)), "settings")


def test_pictures_of_a_stage_stand_where_it_does(born_again, place):
    for stage, step in [("generation_0", 10), ("generation_1", 10), ("ensemble", 0), ("", 0)]:
        with SummaryWriter(str(born_again / "tensorboard" / stage)) as writer:
            writer.add_image("test/over_stages" if not stage else "test/confusion", torch.zeros(1, 2, 2), step)
            writer.add_scalar("test/nll", 1.0, step)
    board = shown(place)
    board.draw()
    pictures = {tag: pairs for tag, pairs in values(only(board)).items() if "images" in str(pairs[0][1].metadata)}
    assert {tag: [step for step, _ in pairs] for tag, pairs in pictures.items()} == {
        "test/over_stages": [0],
        "test/confusion": [10, 20],
        "ensemble/test/confusion": [20],
    }


def test_a_run_under_way_is_followed(tmp_path, place):
    path = seen(tmp_path / "runs/a", 0, status="running", points=[("supervised", 1, "train/loss", 0.9)])
    board = shown(place)
    assert curves(only(board)) == {}
    log(path, [("supervised", 2, "train/loss", 0.8)])
    board.update()
    (file,) = place.glob("*/*.curves")
    before = file.read_bytes()
    log(path, [("supervised", 3, "train/loss", 0.7)])
    board.update()
    assert file.read_bytes().startswith(before)
    assert curves(only(board)) == {"2 train/loss": [(1, 0.9), (2, 0.8), (3, 0.7)]}


def test_what_a_resumed_run_dropped_is_gone(tmp_path, place):
    points = [("supervised", step, "train/loss", step / 10) for step in (1, 2, 3)]
    path = seen(tmp_path / "runs/a", 0, status="running", points=points)
    board = shown(place)
    (path / "metrics.jsonl").unlink()
    log(path, [*points[:2], ("supervised", 3, "train/loss", 0.35)])
    board.update()
    assert curves(only(board)) == {"2 train/loss": [(1, 0.1), (2, 0.2), (3, 0.35)]}


def test_damaged_lines_are_left_out(tmp_path, place):
    points = [("supervised", step, "train/loss", step / 10) for step in (1, 2)]
    path = seen(tmp_path / "runs/a", 0, points=points)
    odd = [("supervised", 2**80, "train/loss", 1.0), ("supervised", 3, "train/loss", "1"), ("supervised", 3, 4, 1.0)]
    log(path, odd)
    log(path, [("\ud800", step, "\x1b|", 1e140) for step in (1, 2)])
    with (path / "metrics.jsonl").open("a") as file:
        file.write('[]\n{"stage": "supervised"}\n\xff\n{"stage": "supervised", "st')
    assert list(curves(only(shown(place)))) == ["2 train/loss", "\\x1b|"]
