"""Pictures of items in a report: out of a run's own TensorBoard files, and of no other."""

import os

import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from sdrun.comparison import drawings, seen
from sdrun.comparison.runs import Run


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "run"
    stages = [{"name": "first", "steps": 3}, {"name": "ensemble", "steps": 0}]
    return Run(path, {"seed": 4}, {"stages": stages}, {})


def draw(folder, **titles):
    with SummaryWriter(str(folder)) as writer:
        for title, steps in titles.items():
            for step in steps:
                writer.add_image(title.replace("__", "/"), torch.full((1, 2, 2), step / 10), step)
                writer.add_scalar("loss", 1.0, step)


def test_the_newest_of_what_was_seen_and_mistaken_is_shown(run):
    draw(run.path / "tensorboard/first", views__weak=[0, 3], test__mistakes=[3], test__confusion=[3])
    draw(run.path / "tensorboard/ensemble", test__mistakes=[0])
    pictures = seen.pictures(run)
    assert list(pictures) == ["views/weak", "test/mistakes"]
    assert pictures["views/weak"] == pictures["test/mistakes"]  # both of step 3
    (section,) = seen.section({"a <b>": {4: run}, "c": {4: Run(run.path / "none", {}, {}, {})}})
    assert len(section.pictures) == 2
    assert section.pictures[0].startswith('<img alt="a &lt;b&gt;, seed 4: views/weak" src="data:image/png;base64,')


def test_where_there_is_nothing_to_see_there_is_no_section(run):
    assert seen.section({"a": {4: run}}) == []
    draw(run.path / "tensorboard/first", test__confusion=[3])
    assert seen.section({"a": {4: run}}) == []


@pytest.mark.parametrize("what", ["folder", "stage", "file"])
def test_links_that_lead_out_of_the_run_are_not_followed(what, run, tmp_path):
    draw(tmp_path / "other/first", test__mistakes=[3])
    (file,) = (tmp_path / "other/first").iterdir()
    place, target = {
        "folder": (run.path / "tensorboard", tmp_path / "other"),
        "stage": (run.path / "tensorboard/first", tmp_path / "other/first"),
        "file": (run.path / "tensorboard/first" / file.name, file),
    }[what]
    place.parent.mkdir(parents=True)
    place.symlink_to(target)
    assert seen.pictures(run) == {}


def test_pipes_and_broken_files_are_left_out(run):
    folder = run.path / "tensorboard/first"
    draw(folder, test__mistakes=[3])
    (whole,) = folder.iterdir()
    (folder / "events.torn").write_bytes(whole.read_bytes()[:-20])
    (folder / "events.junk").write_bytes(b"junk" * 100)
    os.mkfifo(folder / "events.pipe")
    assert list(seen.pictures(run)) == ["test/mistakes"]


def test_what_is_no_picture_or_too_large_is_left_out(run, monkeypatch):
    folder = run.path / "tensorboard/first"
    draw(folder, test__mistakes=[3])
    monkeypatch.setattr(drawings, "LARGEST", 10)
    assert seen.pictures(run) == {}
    monkeypatch.undo()
    monkeypatch.setattr(drawings, "PNG", b"GIF")
    assert seen.pictures(run) == {}
