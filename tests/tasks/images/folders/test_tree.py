"""Which files below a folder are images, and that they are opened once alone."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from pictured import images, pixels, save

from sdrun.errors import InputError
from sdrun.storage.files import write_bytes
from sdrun.tasks.images.folders import tree
from sdrun.tasks.images.folders.decoding import header

KEY = "dataset.root"


@pytest.fixture
def root(tmp_path):
    return images(tmp_path / "mine", "cat", "dog", num=2)


def read(root, memory):
    return tree.headers(tree.walk(root, KEY), memory, 1)


def test_images_are_found_at_any_depth_in_the_order_of_their_names(root):
    save(root / "cat" / "b" / "a" / "x.JPG", pixels(0))
    save(root / "top.bmp", pixels(0))
    walked = tree.walk(root, KEY)
    assert walked.paths == ["cat/000.png", "cat/001.png", "cat/b/a/x.JPG", "dog/000.png", "dog/001.png", "top.bmp"]
    assert walked.stats[:, 0].tolist() == [(root / path).stat().st_size for path in walked.paths]
    assert walked.num_others == 0


def test_folders_may_be_nested_deeper_than_functions_can(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(600):
        os.mkdir("a")
        os.chdir("a")
    save(Path("b.png"), pixels(1))
    assert tree.walk(tmp_path, KEY).paths == ["a/" * 600 + "b.png"]


def test_what_is_hidden_is_left_out_and_other_files_are_counted(root):
    save(root / "cat" / ".thumbnail.png", pixels(0))
    save(root / ".cache" / "x.png", pixels(0))
    (root / "cat" / ".DS_Store").write_bytes(b"x")
    (root / "README.md").write_text("hello")
    (root / "cat" / "Thumbs.db").write_text("hello")
    walked = tree.walk(root, KEY)
    assert (len(walked.paths), walked.num_others) == (4, 2)


def test_links_are_followed_once_and_loops_end(root, tmp_path):
    elsewhere = images(tmp_path / "elsewhere", "bird", num=1)
    (root / "bird").symlink_to(elsewhere / "bird")
    (root / "cat" / "loop").symlink_to(root)
    (root / "dog" / "again").symlink_to(root / "dog")
    (root / "dog" / "linked.png").symlink_to(root / "cat" / "000.png")
    expected = ["bird/000.png", "cat/000.png", "cat/001.png", "dog/000.png", "dog/001.png", "dog/linked.png"]
    assert tree.walk(root, KEY).paths == expected


def test_what_can_never_be_read_is_no_image(root):
    (root / "cat" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "cat" / "self.png").symlink_to(root / "cat" / "self.png")
    os.mkfifo(root / "cat" / "pipe.png")
    walked = tree.walk(root, KEY)
    assert (len(walked.paths), walked.num_others) == (4, 3)


def test_a_root_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match=r"dataset.root: .*/mine is not there; name a folder of images: dataset.root="):
        tree.walk(tmp_path / "mine", KEY)
    file = save(tmp_path / "a.png", pixels(0))
    with pytest.raises(InputError, match=r"dataset.root: .*a.png is no folder; name one of images: dataset.root="):
        tree.walk(file, KEY)


def test_a_folder_that_cannot_be_read_is_named(root, monkeypatch):
    scandir = os.scandir

    def refused(folder):
        if str(folder).endswith("dog"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(InputError, match=r"^dataset.root: .*/dog: Permission denied$"):
        tree.walk(root, KEY)


def test_headers_are_those_of_the_files(root, tmp_path):
    (root / "dog" / "bad.png").write_bytes(b"x")
    expected = [header(root / path) for path in tree.walk(root, KEY).paths]
    assert read(root, tmp_path / "memory") == read(root, tmp_path / "memory") == expected
    assert [bool(said.problem) for said in expected] == [False, False, False, False, True]


def test_files_are_opened_again_only_where_they_changed(root, tmp_path, monkeypatch):
    memory, opened = tmp_path / "memory", []
    monkeypatch.setattr(tree, "header", lambda path: opened.append(Path(path).name) or header(path))
    read(root, memory)
    assert len(opened) == 4
    opened.clear()
    save(root / "dog" / "002.png", pixels(7))
    save(root / "cat" / "001.png", pixels(8, 9, 9))
    (root / "cat" / "000.png").unlink()
    again = read(root, memory)
    assert opened == ["001.png", "002.png"]
    assert [said.width for said in again] == [9, 8, 8, 8]
    assert again == [header(root / path) for path in tree.walk(root, KEY).paths]
    opened.clear()
    read(root, memory)
    assert opened == []


def test_what_could_not_be_opened_is_tried_again_and_the_rest_is_not(root, tmp_path, monkeypatch):
    memory, opened = tmp_path / "memory", []
    refused = header(root / "nowhere.png")
    with monkeypatch.context() as patch:
        patch.setattr(tree, "header", lambda path: refused if Path(path).parent.name == "cat" else header(path))
        assert [bool(said.problem) for said in read(root, memory)] == [True, True, False, False]
    monkeypatch.setattr(tree, "header", lambda path: opened.append(Path(path).parent.name) or header(path))
    assert not any(said.problem for said in read(root, memory))
    assert opened == ["cat", "cat"]


def test_where_nothing_can_be_noted_files_are_read_each_time(root, tmp_path):
    (tmp_path / "memory").write_text("a file")
    assert read(root, tmp_path / "memory") == read(root, tmp_path / "memory")


def changed(file, **arrays):
    with np.load(file) as before:
        np.savez(file, **{**before, **arrays})


def array():
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    return content.getvalue()


def as_bytes(content):
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


SPOILED = {
    "empty": lambda file: write_bytes(file, b""),
    "text": lambda file: write_bytes(file, b"hello"),
    "half": lambda file: write_bytes(file, file.read_bytes()[:300]),
    "torn": lambda file: write_bytes(file, file.read_bytes()[:200] + bytes(40) + file.read_bytes()[240:]),
    "an array": lambda file: write_bytes(file, array()),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "without digests": lambda file: changed(file, digests=np.zeros(0, np.uint8)),
    "short digests": lambda file: changed(file, digests=np.zeros(100, np.uint8)),
    "numbers of another shape": lambda file: changed(file, numbers=np.zeros((4, 2), np.int64)),
    "fewer numbers": lambda file: changed(file, numbers=np.zeros((3, 6), np.int64)),
    "numbers that are none": lambda file: changed(file, numbers=np.zeros((4, 6))),
    "paths that are none": lambda file: changed(file, paths=as_bytes([[], {}, 1, None])),
    "no list of paths": lambda file: changed(file, paths=as_bytes(7)),
    "fewer problems": lambda file: changed(file, problems=as_bytes([""])),
    "nested": lambda file: changed(file, paths=np.frombuffer(b"[" * 100_000, np.uint8)),
    "objects": lambda file: changed(file, digests=np.array([{}], dtype=object)),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_broken_note_is_made_again(case, root, tmp_path):
    memory = tmp_path / "memory"
    expected = read(root, memory)
    (file,) = memory.iterdir()
    SPOILED[case](file)
    assert read(root, memory) == expected
    assert read(root, memory) == expected


def test_names_may_be_anything_that_a_file_can_be_called(root, tmp_path):
    for name in ("a\nb.png", "\u65e5\u672c.png", os.fsdecode(b"\xff.png"), "'$x`.png"):
        save(root / "cat" / name, pixels(3))
    expected = read(root, tmp_path / "memory")
    assert len(expected) == 8
    assert read(root, tmp_path / "memory") == expected
