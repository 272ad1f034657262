"""The folder that TensorBoard is shown: a link a run."""

import json
import shutil

import pytest
from folders import made_run

from sdrun.comparison.board import link


@pytest.fixture
def place(tmp_path):
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def seen(path, *arguments, day=1, **settings):
    """A run with a view for TensorBoard."""
    made_run(path, *arguments, **settings)
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "created": f"2026-01-0{day}T00:00:00+00:00"}))
    (path / "tensorboard").mkdir()


def links(place):
    return {entry.name: entry.resolve().parent.name for entry in place.iterdir() if entry.is_symlink()}


def test_links_lead_to_the_views_of_their_runs(tmp_path, place):
    seen(tmp_path / "runs/a", 0)
    seen(tmp_path / "runs/b", 1, method="cs_kd", status="running")
    made_run(tmp_path / "runs/c", 2)  # without a view
    assert link("runs", place, {}) == 2
    assert links(place) == {"supervised seed=0": "a", "cs_kd seed=1": "b"}


def test_a_run_more_renames_those_that_it_must_be_told_apart_from(tmp_path, place):
    seen(tmp_path / "runs/a", 0, method="born_again", method__alpha=0.5)
    link("runs", place, {})
    assert links(place) == {"born_again seed=0": "a"}
    seen(tmp_path / "runs/b", 0, method="born_again", method__alpha=0.9)
    assert link("runs", place, {}) == 2
    assert links(place) == {"born_again alpha=0.5 seed=0": "a", "born_again alpha=0.9 seed=0": "b"}
    shutil.rmtree(tmp_path / "runs/b")
    assert link("runs", place, {}) == 1
    assert links(place) == {"born_again seed=0": "a"}


def test_nothing_is_written_where_nothing_changed(tmp_path, place):
    seen(tmp_path / "runs/a", 0)
    link("runs", place, {})
    before = {entry.name: entry.lstat().st_mtime_ns for entry in place.iterdir()}
    link("runs", place, {})
    assert {entry.name: entry.lstat().st_mtime_ns for entry in place.iterdir()} == before


def test_a_name_is_no_path(tmp_path, place):
    seen(tmp_path / "runs/a", 0)
    seen(tmp_path / "runs/b", 0, dataset__file="data/images.npz")
    assert link("runs", place, {}) == 2
    assert set(links(place).values()) == {"a", "b"}


def test_equal_runs_in_folders_of_one_name_are_all_shown(tmp_path, place):
    """Such as the jobs 0, 1, ... of sweeps that were made again."""
    for day, sweep in enumerate(("first", "second", "third"), 1):
        seen(tmp_path / f"runs/{sweep}/0", 0, day=day)
    assert link("runs", place, {}) == 3
    assert len(links(place)) == 3
