"""Images are decoded once: by one run of several, whole or not at all, and never from what is broken."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from pictured import asked, images, load, pixels, save, shown

from sdrun.data.source import Read
from sdrun.errors import InputError, RunError
from sdrun.tasks.images.folders import decoded, tree, workers
from sdrun.tasks.images.sources.image_folder import OnBad


@pytest.fixture
def root(tmp_path):
    return images(tmp_path / "mine", "cat", "dog")


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def no_work(monkeypatch):
    """Makes it an error to open an image file."""

    def refuse(*_):
        raise AssertionError("a file was opened")

    def forbid():
        monkeypatch.setattr(decoded, "decode", refuse)
        monkeypatch.setattr(tree, "header", refuse)

    return forbid


def kept(store):
    """The folders of decoded images."""
    return sorted(path for path in (store / "images").iterdir() if path.is_dir())


def same(one, other):
    assert one.train.fingerprint == other.train.fingerprint
    assert one.measured == other.measured
    for part in ("train", "test"):
        np.testing.assert_array_equal(shown(one, part), shown(other, part))


def test_files_are_decoded_once(root, store, no_work):
    first = load(root, store)
    (place,) = kept(store)
    assert {file.name for file in place.iterdir()} == {"pixels.bin", "statistics.npy", "problems.json"}
    assert (place / "pixels.bin").stat().st_size == 20 * 3 * 8 * 8
    no_work()
    same(load(root, store), first)


def test_renamed_and_moved_files_are_not_decoded_again(root, store, tmp_path, monkeypatch):
    load(root, store)
    monkeypatch.setattr(decoded, "decode", None)
    (root / "cat" / "000.png").rename(root / "cat" / "x.png")
    (root / "cat" / "001.png").rename(root / "dog" / "y.png")
    moved = load(root.rename(tmp_path / "elsewhere"), store)
    assert len(kept(store)) == 1
    means = shown(moved)[moved.train.labels == 1].reshape(-1, 192).mean(axis=1)
    assert (means < 127).sum() + (
        shown(moved, "test")[moved.test.labels == 1].reshape(-1, 192).mean(axis=1) < 127
    ).sum() == 1


@pytest.mark.parametrize("change", ["content", "one more", "size", "channels"])
def test_what_changed_is_decoded_anew_and_the_rest_stays(change, root, store):
    load(root, store)
    file = root / "cat" / "000.png"
    if change == "content":
        time.sleep(0.01)
        save(file, pixels(99))
    if change == "one more":
        save(root / "cat" / "z.png", pixels(99))
    if change == "channels":
        for path in root.rglob("*.png"):
            save(path, pixels(1, channels=1))
    published = load(root, store, size=6 if change == "size" else None)
    assert len(kept(store)) == 2
    assert published.train.fingerprint != load(images(root.parent / "same", "cat", "dog"), store).train.fingerprint


def test_two_files_of_the_same_content_are_decoded_once(root, store):
    shutil.copy(root / "cat" / "000.png", root / "dog" / "copy.png")
    published = load(root, store)
    assert len(published.train) + len(published.test) == 21
    assert (kept(store)[0] / "pixels.bin").stat().st_size == 20 * 3 * 8 * 8


def test_off_keeps_no_pixels_and_gives_the_same(root, store, monkeypatch, tmp_path):
    with_store = load(root, store)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    for word in ("off", "False", "false"):
        without = load(root, word)
        same(without, with_store)
    (place,) = kept(tmp_path / "home" / "sdrun")
    assert not (place / "pixels.bin").exists()
    assert shown(without)[:0].shape == without.train.fields["image"].read(np.arange(0)).shape == (0, 3, 8, 8)


def test_what_off_noted_is_replaced_when_pixels_are_wanted(root, store, monkeypatch, no_work):
    monkeypatch.setenv("XDG_CACHE_HOME", str(store))
    off = load(root, "off")
    same(load(root, "auto"), off)
    (place,) = kept(store / "sdrun")
    assert (place / "pixels.bin").exists()
    no_work()
    load(root, "auto")


def test_without_a_store_a_file_that_broke_later_is_named(root, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    column = load(root, "off").train.fields["image"]
    (root / "cat" / "000.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"/cat/000.png: is empty; put a whole one there$"):
        Read("image", column).fetch(torch.arange(16))


@pytest.mark.parametrize("value", ["", "relative", "./x"])
def test_a_home_of_caches_that_is_none_is_passed_over(value, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert asked().place.folder == tmp_path / "home" / ".cache" / "sdrun"


def test_without_a_home_a_folder_is_asked_for(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    told = "^dataset.cache: this user has no home folder; name one: dataset.cache=FOLDER$"
    with pytest.raises(InputError, match=told):
        _ = asked().place


def test_an_interrupted_making_leaves_nothing(root, store, monkeypatch):
    decode, count = decoded.decode, []

    def stops(*arguments):
        count.append(0)
        if len(count) == 7:
            raise KeyboardInterrupt
        return decode(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(decoded, "decode", stops)
        with pytest.raises(KeyboardInterrupt):
            load(root, store)
    assert kept(store) == []
    (store / "images" / "junk.part").mkdir()
    same(load(root, store), load(root, store.parent / "other"))


def test_what_a_kill_left_is_cleared(root, store):
    first = load(root, store)
    (place,) = kept(store)
    part = place.with_suffix(".part")
    place.rename(part)
    (part / "pixels.bin").write_bytes(b"\7" * 99)
    (part / "more").write_bytes(b"x")
    same(load(root, store), first)
    assert kept(store) == [place]
    assert len(list(place.iterdir())) == 3


def torn(file):
    file.write_bytes(file.read_bytes()[:-1])


def arrays(values):
    def write(file):
        np.save(file, values)

    return write


BROKEN = {
    ("pixels.bin", "shorter"): torn,
    ("pixels.bin", "empty"): lambda file: file.write_bytes(b""),
    ("pixels.bin", "longer"): lambda file: file.write_bytes(file.read_bytes() + b"x"),
    ("pixels.bin", "gone"): Path.unlink,
    ("pixels.bin", "a folder"): lambda file: (file.unlink(), file.mkdir()),
    ("statistics.npy", "shorter"): torn,
    ("statistics.npy", "empty"): lambda file: file.write_bytes(b""),
    ("statistics.npy", "gone"): Path.unlink,
    ("statistics.npy", "of another shape"): arrays(np.zeros((3, 2, 3))),
    ("statistics.npy", "texts"): arrays(np.full((20, 2, 3), "a")),
    ("statistics.npy", "not finite"): arrays(np.full((20, 2, 3), np.nan)),
    ("problems.json", "shorter"): torn,
    ("problems.json", "empty"): lambda file: file.write_bytes(b""),
    ("problems.json", "gone"): Path.unlink,
    ("problems.json", "a list"): lambda file: file.write_text("[1]"),
    ("problems.json", "no number"): lambda file: file.write_text('{"x": "is broken"}'),
    ("problems.json", "no UTF-8"): lambda file: file.write_bytes(b'{"0": "\xff"}'),
}


@pytest.mark.parametrize("case", BROKEN, ids=" ".join)
def test_a_broken_file_is_made_again(case, root, store):
    first = load(root, store)
    (place,) = kept(store)
    BROKEN[case](place / case[0])
    same(load(root, store), first)
    assert json.loads((place / "problems.json").read_text()) == {}


def test_a_place_that_cannot_be_written_to_is_named(root, tmp_path, called):
    file = tmp_path / "file"
    file.write_text("x")
    for place in (file, file / "below"):
        with pytest.raises(
            InputError, match=rf"^dataset.cache: {file}\S*: \w.*; name another folder: dataset.cache=FOLD"
        ):
            load(root, place)
    if os.geteuid():
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(
            InputError, match=r"^dataset.cache: .*closed.*: Permission denied; name another folder: data"
        ):
            load(root, tmp_path / "closed")


def test_too_little_room_is_said_before_anything_is_decoded(root, store, monkeypatch):
    with pytest.raises(InputError) as error:
        load(root, store, cache_limit=1e-6)
    ways = "set a smaller dataset.size, or dataset.cache=off"
    needs = "the images need 0.0 GiB at this size"
    assert str(error.value) == f"dataset.cache_limit: is 1e-06, and {needs}; raise it, or {ways}"
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100))
    with pytest.raises(InputError) as error:
        load(root, store)
    there = f"{store}/images has 0.0 GiB free, and {needs}; name another folder, or {ways}"
    assert str(error.value) == f"dataset.cache: {there}"
    assert kept(store) == []
    monkeypatch.setenv("XDG_CACHE_HOME", str(store))
    load(root, "off")


def test_a_disk_that_fills_is_said(root, store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(decoded.np, "save", full)
        with pytest.raises(InputError) as error:
            load(root, store)
    told = "No space left on device; make room, or name another folder: dataset.cache=FOLDER"
    assert str(error.value).startswith(f"dataset.cache: {store}/images/")
    assert str(error.value).endswith(told)
    assert kept(store) == []
    load(root, store)


def many(tmp_path, num=70):
    """As many as are handed out in two chunks, of which one is broken and one empty."""
    root = images(tmp_path / "many", "cat", "dog", num=num)
    whole = save(root / "dog" / "half.png", pixels(1)).read_bytes()
    (root / "dog" / "half.png").write_bytes(whole[:150])
    (root / "dog" / "empty.png").write_bytes(b"")
    return root


def test_several_processes_give_the_same_bytes(tmp_path, store, monkeypatch, capsys):
    root = many(tmp_path)
    alone = load(root, store, on_bad=OnBad.skip)
    monkeypatch.setattr(workers, "FEW", 0)
    other = tmp_path / "other"
    together = load(root, other, on_bad=OnBad.skip, workers=2)
    same(together, alone)
    assert together.facts == alone.facts
    one, two = kept(store)[0], kept(other)[0]
    assert one.name == two.name
    for name in ("pixels.bin", "statistics.npy", "problems.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    assert "Reading images: 142" in capsys.readouterr().err


def test_a_process_that_is_killed_is_said(monkeypatch):
    monkeypatch.setattr(workers, "FEW", 0)
    with pytest.raises(RunError, match="^Work: a process was killed, perhaps for memory; try dataset.workers=1$"):
        list(workers.each(os._exit, [(1,)], 1, "Work"))


def takes(store, root, results):
    published = load(root, store)
    results.put((published.train.fingerprint, shown(published).tobytes()))


def counts(store, root, results):
    """``takes``, where each file that is decoded leaves a line."""
    decode = decoded.decode

    def noted(path, *others):
        with (store.parent / "log").open("a") as log:
            log.write(f"{path}\n")
        time.sleep(0.01)
        return decode(path, *others)

    decoded.decode = noted
    takes(store, root, results)


def test_of_two_processes_one_decodes_and_both_read_the_same(root, store):
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    processes = [fork.Process(target=counts, args=(store, root, results)) for _ in range(2)]
    for process in processes:
        process.start()
    one, other = (results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    assert one == other
    assert len((store.parent / "log").read_text().splitlines()) == 20


SLOW = """
import signal, sys, time
from pathlib import Path
from sdrun.tasks.images.folders import workers

def slow(number):
    Path(sys.argv[1], str(number)).touch()
    time.sleep(0.05)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in the background
    workers.FEW, workers.CHUNK = 0, 4
    list(workers.each(slow, [(number,) for number in range(2000)], 2, "Work"))
"""


def ends(group, deadline):
    """Whether a group of processes is gone, soon."""
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_an_interrupt_ends_the_processes_too(tmp_path):
    script, started = tmp_path / "slow.py", tmp_path / "started"
    script.write_text(SLOW)
    started.mkdir()
    command = [sys.executable, str(script), str(started)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list(started.iterdir())) < 9 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does to all of them
    _, told = process.communicate(timeout=60)
    assert told.count("KeyboardInterrupt") == told.count("Traceback") == 1, told
    assert ends(process.pid, time.monotonic() + 20)
    assert len(list(started.iterdir())) < 100
