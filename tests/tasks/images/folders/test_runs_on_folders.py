"""Runs on folders of images: in memory and from files they are the same, and what was measured is kept."""

import numpy as np
import pytest
import yaml
from pictured import images, pixels, save

from helpers import QUICK, differences, in_pieces, manifest, predictions, start, summary
from sdrun import beginning, run
from sdrun.errors import InputError
from sdrun.streams.ahead import Ahead
from sdrun.streams.shuffled import Shuffled
from sdrun.tasks.images import task
from sdrun.tasks.images.folders.decoding import decode
from sdrun.tasks.images.sources.image_folder import OFF

BASE = ("dataset=image_folder", "optim.batch_size=8", "optim.epochs=2", "model.widths=[4,4]", "log_every=1")
BASE = (*BASE, *QUICK)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with ``mine``, images for training, validation and testing, and ``store``."""
    place = tmp_path_factory.mktemp("place")
    for number, (part, num) in enumerate({"train": 12, "val": 4, "test": 5}.items()):
        images(place / "mine" / part, "cat", "dog", num=num, first=100 * number, height=9, width=11)
    return place


@pytest.fixture(scope="module")
def words(place):
    return (*BASE, f"dataset.root={place / 'mine'}", f"dataset.cache={place / 'store'}", "method=supervised")


@pytest.fixture(scope="module")
def whole(place, words):
    return start(place / "whole", base=words)


@pytest.fixture
def from_files(monkeypatch):
    monkeypatch.setattr(task, "MOST_IN_MEMORY", 0)


def config(path):
    return yaml.safe_load((path / "config.yaml").read_text())["dataset"]


def test_what_the_images_say_stands_in_the_settings(whole, place):
    asked = config(whole)
    assert (asked["size"], asked["val_size"]) == (8, 8)
    own = [decode(file, 8, 3).pixels for part in ("train", "val") for file in (place / "mine" / part).rglob("*.png")]
    values = np.stack(own) / 255
    np.testing.assert_allclose(asked["mean"], values.mean(axis=(0, 2, 3)), atol=6e-5)
    np.testing.assert_allclose(asked["std"], values.std(axis=(0, 2, 3)), atol=6e-5)
    log = (whole / "run.log").read_text()
    assert "images of 3x8x8: 24 for training, 8 for validation, 10 for testing" in log
    assert "2 classes: cat, dog; 12 for training in each" in log
    assert "images of 11x9 are brought to 8x8, of 42 that are not square their middle" in log


def test_it_learns_what_is_tested(whole, tmp_path, words):
    path = start(tmp_path / "run", "optim.epochs=12", "optim.lr=0.1", base=words)
    assert summary(path)["metrics"]["test/accuracy"] >= 0.9  # the one class is brighter
    assert manifest(path)["items"]["classes"] == ["cat", "dog"]


def test_from_files_a_run_is_bitwise_the_same(whole, words, tmp_path, from_files, monkeypatch):
    steps = []
    gather = Ahead.gather
    monkeypatch.setattr(Ahead, "gather", lambda self, step: steps.append(step) or gather(self, step))
    assert differences(start(tmp_path / "run", base=words), whole) == []
    assert steps == list(range(6))


@pytest.mark.parametrize("limit", [0, 2**28])
def test_it_resumes_bitwise_wherever_images_are(limit, whole, words, tmp_path, monkeypatch):
    monkeypatch.setattr(task, "MOST_IN_MEMORY", limit)
    in_pieces(tmp_path / "run", monkeypatch, *words)
    assert differences(tmp_path / "run", whole) == []


@pytest.mark.parametrize("limit", [0, 2**28])
def test_without_a_store_a_run_is_bitwise_the_same(limit, whole, words, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(task, "MOST_IN_MEMORY", limit)
    assert differences(start(tmp_path / "run", "dataset.cache=off", base=words), whole) == []
    assert not list(tmp_path.rglob("pixels.bin"))


def test_where_images_are_kept_may_change_and_how_they_are_seen_may_not(whole, words, tmp_path, monkeypatch):
    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_after(3, patch)
        with pytest.raises(KeyboardInterrupt):
            start(path, "checkpoint_seconds=0", base=words)
    for key, value in (("size", 6), ("on_bad", "skip"), ("group", "parent"), ("mean", "[0,0,0]"), ("test_share", 0.5)):
        with pytest.raises(InputError, match=f"^dataset.{key}: cannot be changed of a run that goes on; only "):
            run.resume(path, [f"dataset.{key}={value}"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    run.resume(path, ["dataset.cache=off", "dataset.workers=1", "dataset.cache_limit=1.0"])
    assert config(path)["cache"] in OFF
    assert differences(path, whole) == []


def stop_after(step, patch):
    gather = Shuffled.gather

    def stops(self, number):
        if number > step:
            raise KeyboardInterrupt
        return gather(self, number)

    patch.setattr(Shuffled, "gather", stops)


def test_a_copy_seen_through_a_view_is_tested_too(words, tmp_path, monkeypatch):
    runs = []
    for limit in (0, 2**28):
        monkeypatch.setattr(task, "MOST_IN_MEMORY", limit)
        runs.append(start(tmp_path / str(limit), "dataset.test_view=strong", "optim.epochs=1", base=words))
    assert differences(*runs) == []
    assert "test_strong/accuracy" in summary(runs[0])["metrics"]
    one = predictions(runs[0])
    assert not np.array_equal(one["supervised/test_logits"], one["supervised/test_strong_logits"])


def test_items_without_labels_are_read_ahead_too(words, tmp_path, monkeypatch):
    runs = []
    for limit in (0, 2**28):
        monkeypatch.setattr(task, "MOST_IN_MEMORY", limit)
        overrides = ("method=fixmatch", "dataset.num_labels=8", "optim.epochs=1", "optim.batch_size=4")
        runs.append(start(tmp_path / str(limit), *overrides, base=words))
    assert differences(*runs) == []
    assert "(8 with labels)" in (runs[0] / "run.log").read_text()


def test_a_file_that_breaks_under_way_ends_the_run_with_its_name(place, words, tmp_path, from_files, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    root = images(tmp_path / "mine", "cat", "dog", num=20)
    create = beginning.create

    def breaks(*arguments, **more):
        for file in root.glob("dog/*.png"):
            file.write_bytes(b"")
        return create(*arguments, **more)

    monkeypatch.setattr(beginning, "create", breaks)
    with pytest.raises(InputError, match=r"mine/dog/0\d\d.png: is empty; put a whole one there"):
        start(tmp_path / "run", f"dataset.root={root}", "dataset.cache=off", base=words)
    assert summary(tmp_path / "run")["status"] == "failed"


def test_images_that_changed_since_it_began_are_not_gone_on_with(words, tmp_path, monkeypatch):
    root, path = images(tmp_path / "mine", "cat", "dog", num=20), tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_after(2, patch)
        with pytest.raises(KeyboardInterrupt):
            start(path, "checkpoint_seconds=0", f"dataset.root={root}", base=words)
    save(root / "cat" / "000.png", pixels(99))
    with pytest.raises(InputError, match=r"cannot go on: its data changed since it began \("):
        run.resume(path)


def test_images_for_testing_that_are_for_training_too_are_warned_of(place, words, tmp_path):
    root = tmp_path / "mine"
    images(root / "train", "cat", "dog", num=12)
    images(root / "test", "cat", "dog", num=4, first=10)
    path = start(tmp_path / "run", f"dataset.root={root}", "optim.epochs=1", base=words)
    assert "4 of 8 test items are in training too, exactly the same" in (path / "run.log").read_text()


def test_another_folder_is_judged(whole, tmp_path, called, place):
    other = images(tmp_path / "other", "cat", "dog", num=3, first=700, height=20, width=30)
    code, text = called("evaluate", str(whole), "--root", str(other))
    assert code == 0, text
    (again,) = (whole / "evaluations").iterdir()
    judged = predictions(again)
    assert judged["supervised/test_labels"].tolist() == [0] * 3 + [1] * 3
    assert "6 for testing" in text
    assert "are brought to 8x8" in text
    assert "exactly the same" not in text
    same = config(again)
    assert [same[name] for name in ("size", "mean", "std")] == [config(whole)[n] for n in ("size", "mean", "std")]
    code, text = called("evaluate", str(whole), "--root", str(config(whole)["root"]))
    assert code == 0, text
    assert "test items are in training too, exactly the same" in text
    images(other, "owl", num=1)
    code, text = called("evaluate", str(whole), "--root", str(other))
    assert (code, text.count("\n")) == (2, 1)
    assert text.endswith("other/owl/000.png: no training image is of its class 'owl'; remove such folders\n")
    code, text = called("evaluate", str(whole), "--root", str(tmp_path / "nowhere"))
    assert (code, text.count("\n")) == (2, 1)
    grey = images(tmp_path / "grey", "dog", num=2, channels=1)
    code, text = called("evaluate", str(whole), "--root", str(grey))
    assert code == 0, text


def test_what_is_wrong_is_said_in_one_line_before_a_folder_is_made(called, place, tmp_path, words):
    told = {
        "dataset.root=null": "sdrun: dataset.root: is missing; name the folder: dataset.root=FOLDER\n",
        "dataset.views.weak.crop=2": "sdrun: dataset.views.weak.crop: has no effect with size, area or blur; set it",
        "dataset.on_bad=x": "sdrun: dataset.on_bad: ",
        "dataset.labels=a.csv": "sdrun: dataset.labels: ",
        "dataset.mean=[0.5]": "sdrun: dataset.mean: needs 3 numbers, one a channel\n",
        "dataset.val_size=3": "sdrun: dataset.val_size: the data hold 8 items for validation; leave it out",
        "dataset.test_share=0.5": "sdrun: dataset.test_share: has no effect: ",
    }
    for word, text in told.items():
        code, said = called(*words, word, "hydra.run.dir=run")
        assert (code, said.startswith(text), said.count("\n")) == (2, True, 1), said
    assert not (tmp_path / "run").exists()


def test_names_that_no_terminal_shows_do_no_harm(tmp_path, words, called):
    root = images(tmp_path / "mine", "cat\n\x1b[2Jdog", "\u65e5\u672c", num=10)
    (root / "\u65e5\u672c" / "a\nb\x1b.png").write_bytes(b"")
    (root / "\u65e5\u672c").joinpath(b"\xff.png".decode(errors="surrogateescape")).write_bytes(b"")
    code, said = called(*words, f"dataset.root={root}", "dataset.on_bad=skip", "optim.epochs=1", "hydra.run.dir=run")
    assert code == 0, said
    assert "\x1b" not in said.replace("\x1b[2K", "") + (tmp_path / "run" / "run.log").read_text()
    code, said = called(*words, f"dataset.root={root}", "hydra.run.dir=other")
    assert code == 2
    assert "\x1b[2J" not in said
