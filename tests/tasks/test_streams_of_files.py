"""A stream whose periods are files: each is read when its time comes, like the dataset itself."""

import numpy as np
import pytest
from owned import npz, vectors
from pictured import images
from tasks.text.tables import table, written

from helpers import SMALL_VECTORS, differences, in_pieces, settings, start, summary
from sdrun import run, tasks
from sdrun.data.splits import split
from sdrun.errors import InputError, RunError

NUM = 3


def later(place, num=40, shift=0.0, **arrays):
    """A file of vectors that have moved, and their labels."""
    x, y = vectors(num, seed=1 + int(10 * shift))
    return npz(place, **({"x": x + np.float32(shift), "y": y} | arrays))


@pytest.fixture
def stream(tmp_path):
    """The labelled file, and a folder of others."""
    x, y = vectors(75)
    (tmp_path / "later").mkdir()
    for number in range(NUM):
        later(tmp_path / f"later/{number}.npz", shift=0.2 * (number + 1))
    return npz(tmp_path / "first.npz", x=x, y=y), tmp_path / "later"


def asked(stream, *more):
    root, folder = stream
    own = [word for word in SMALL_VECTORS if not word.startswith("dataset.num_labels")]
    place = (f"dataset.root={root}", f"dataset.stream.folder={folder}")
    return (*own, "dataset/stream=files", *place, "method=online", "dataset.val_size=10", *more)


def splits_of(*words):
    tasks._loaded.clear()
    dataset = settings(*words).dataset
    published = tasks.load(dataset)
    return split(published, tasks.measured(dataset, published))


def test_a_period_is_what_its_file_holds(stream):
    splits = splits_of(*asked(stream, "dataset.stream.held_out=5"))
    periods = splits.periods
    assert periods.names == ["period_0", "period_1", "period_2", "period_3"]
    with np.load(stream[1] / "1.npz") as file:
        x, y = file["x"], file["y"]
    learned = periods.learned([2])
    rows = [int(np.flatnonzero((x == row).all(axis=1))[0]) for row in learned.fields["vector"]]
    np.testing.assert_array_equal(periods.hidden([2]), y[rows])
    judged = periods.judged("period_2").fields["vector"]
    assert len(judged) == 5
    assert not any((learned.fields["vector"] == row).all(axis=1).any() for row in judged)
    assert len(learned) == 32


def test_tested_on_what_the_last_file_holds_for_that(stream):
    with np.load(stream[1] / "2.npz") as file:
        last = file["x"]
    test = splits_of(*asked(stream)).test.fields["vector"]
    assert len(test) == 8
    assert all((last == row).all(axis=1).any() for row in test)


def test_shuffled_are_the_same_files_in_another_order(stream):
    one, other = (
        splits_of(*asked(stream, f"dataset.stream.shuffled={word}", "dataset.seed=1")) for word in (False, True)
    )
    assert sorted(other.periods.order) == one.periods.order == [0, 1, 2]
    assert other.periods.order != one.periods.order
    np.testing.assert_array_equal(one.test.fields["vector"], other.test.fields["vector"])


def test_it_learns_from_them_resumes_and_keeps_their_names(stream, tmp_path, monkeypatch, called):
    whole = start(tmp_path / "whole", *asked(stream, "optim.epochs=6"), base=())
    in_pieces(tmp_path / "pieces", monkeypatch, *asked(stream, "optim.epochs=6"))
    assert differences(whole, tmp_path / "pieces") == []
    assert "files:\n    - 0.npz\n    - 1.npz\n    - 2.npz\n" in (whole / "config.yaml").read_text()
    metrics = summary(whole)["metrics"]
    assert {"stream/accuracy", "stream/prequential_accuracy", "period_2/accuracy"} <= metrics.keys()
    assert called("evaluate", str(whole))[0] == 0


def test_files_without_labels_are_learned_from_and_tell_no_accuracy(stream, tmp_path):
    without_labels(stream[1])
    path = start(tmp_path / "run", *asked(stream, "dataset.stream.labelled=false"), base=())
    metrics = summary(path)["metrics"]
    assert {"test/accuracy", "first/accuracy", "stream/mask", "stream/imbalance"} <= metrics.keys()
    assert not {"last/accuracy", "present/accuracy", "stream/accuracy", "stream/pseudo_label_accuracy"} & metrics.keys()


def test_images_and_texts_come_so_too(tmp_path):
    (tmp_path / "tables").mkdir()
    for number in range(2):
        images(tmp_path / f"later/{number}", "a", "b", num=10, first=100 * number)
        written(
            tmp_path / "tables",
            table(*(f"text {n} of {number} {'more ' * number},{n % 2}" for n in range(20))),
            f"{number}.csv",
        )
    written(tmp_path, table(*(f"text {n},{n % 2}" for n in range(60))), "first.csv")
    first = images(tmp_path / "first", "a", "b", num=20)
    common = ("dataset/stream=files", "method=online", "optim.epochs=1", "pictures=false", "dataset.val_size=8")
    of_images = ("dataset=image_folder", f"dataset.root={first}", f"dataset.stream.folder={tmp_path}/later")
    more = ("method.buffered_ratio=1", "method.labelled_ratio=1")
    of_texts = (
        *more,
        "dataset=text_csv",
        f"dataset.root={tmp_path}/first.csv",
        f"dataset.stream.folder={tmp_path}/tables",
    )
    cache = f"dataset.cache={tmp_path}/cache"
    for name, words in {"images": (*of_images, cache, "model.widths=[8,8]"), "texts": of_texts}.items():
        path = start(tmp_path / name, *words, *common, "hardware.threads=1", base=())
        assert "period_2/accuracy" in summary(path)["metrics"]


# What is wrong with them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": np.arange(40) % 5}, "1.npz: holds the class '3', which no labelled item is of; leave it out"),
        ({"x": np.zeros((40, 3), np.float32)}, "1.npz: holds vectors of 3, and dataset.root vectors of 4"),
        ({"x": np.zeros((0, 4), np.float32), "y": np.zeros(0, int)}, "1.npz, x: holds no items"),
        ({"y": np.zeros(40, int)}, "1.npz, y: all items have the label '0'"),
    ],
)
def test_a_file_of_no_use_is_named_and_what_was_learned_is_kept(arrays, message, stream, tmp_path, monkeypatch):
    monkeypatch.setattr("sdrun.methods.online.judge.MOST_MAPPED", 1)
    later(stream[1] / "1.npz", **arrays)
    with pytest.raises(InputError, match=message):
        start(tmp_path / "run", *asked(stream), base=())
    assert (tmp_path / "run/stages/period_1/done.json").exists()
    later(stream[1] / "1.npz", shift=0.4)
    run.resume(tmp_path / "run")
    assert summary(tmp_path / "run")["status"] == "completed"


def test_a_file_that_is_gone_is_named_and_what_was_learned_is_kept(stream, tmp_path, monkeypatch):
    monkeypatch.setattr("sdrun.methods.online.judge.MOST_MAPPED", 1)
    whole = start(tmp_path / "whole", *asked(stream), base=())
    words = asked(stream, "dataset.stream.files=[0.npz,1.npz,2.npz]")
    (stream[1] / "1.npz").rename(tmp_path / "away")
    with pytest.raises(InputError, match="1.npz: is not there; put it back"):
        start(tmp_path / "run", *words, base=())
    (tmp_path / "away").rename(stream[1] / "1.npz")
    run.resume(tmp_path / "run")
    assert differences(whole, tmp_path / "run") == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("dataset.stream.folder=null",),
            "dataset.stream.folder: is missing; name the folder with a file",
        ),
        (("dataset.stream.folder=/nowhere",), "dataset.stream.folder: .*No such file or directory: '/nowhere'"),
        (
            ("dataset.stream.files=[]",),
            "dataset.stream.files: names none; leave it out, for all",
        ),
    ],
)
def test_a_stream_needs_files(words, message, stream):
    with pytest.raises(InputError, match=message):
        settings(*asked(stream, *words))


def test_an_empty_folder_holds_no_stream(stream, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty is empty; put a file for each period there"):
        settings(*asked((stream[0], tmp_path / "empty")))


def test_nobody_knows_the_truth_of_files_without_labels(stream, tmp_path):
    words = ("dataset.stream.labelled=false", "method=online_labelled")
    with pytest.raises(
        InputError, match="method.labeller: is truth, and nobody knows that of dataset.stream.labelled=f"
    ):
        start(tmp_path / "run", *asked(stream, *words), base=())


def test_what_needs_all_files_at_once_is_refused(stream, tmp_path):
    with pytest.raises(InputError, match="method.scope: is everything, and dataset/stream=files reads one period at a"):
        start(tmp_path / "run", *asked(stream, "method.scope=everything"), base=())


def test_the_labelled_file_is_no_period(stream):
    with pytest.raises(InputError, match="dataset.stream.folder: has dataset.root among its files, which are periods"):
        splits_of(*asked((stream[1] / "0.npz", stream[1])))


def test_files_come_by_number(tmp_path, stream):
    for name in ("2.npz", "10.npz", "1.npz", "b.npz"):
        later(stream[1] / name)
    assert settings(*asked(stream)).dataset.stream.files == ["0.npz", "1.npz", "2.npz", "10.npz", "b.npz"]


def test_the_first_period_is_judged_on_a_sample(stream, tmp_path):
    x, y = vectors(300)
    order = y.argsort(kind="stable")
    root = npz(tmp_path / "sorted.npz", x=x[order], y=y[order])
    periods = splits_of(*asked((root, stream[1]), "dataset.stream.held_out=20")).periods
    assert set(periods.labels("period_0")) == {0, 1, 2}


def test_the_folder_means_the_same_elsewhere_and_may_move(stream, tmp_path, monkeypatch):
    path = start(tmp_path / "run", *asked((stream[0], "later"), "optim.epochs=1"), base=())
    assert f"folder: {stream[1]}\n" in (path / "config.yaml").read_text()
    stream[1].rename(tmp_path / "moved")
    monkeypatch.chdir("/")
    run.resume(path, [f"dataset.stream.folder={tmp_path / 'moved'}"], repair=True)


def test_other_items_are_not_learned_by_labels_of_those_before(stream, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sdrun.methods.online.updates.Online", killed)
        with pytest.raises(KeyboardInterrupt):
            start(tmp_path / "run", *asked(stream), base=())
    later(stream[1] / "0.npz", num=44, shift=1.0)
    with pytest.raises(
        RunError, match="period_1_labels was taught by other weights of source, items than there are now"
    ):
        run.resume(tmp_path / "run")


def without_labels(folder):
    for number in range(NUM):
        with np.load(folder / f"{number}.npz") as file:
            x = file["x"]
        npz(folder / f"{number}.npz", x=x)


def test_without_labels_a_file_is_read_when_its_time_comes(stream, tmp_path):
    without_labels(stream[1])
    words = asked(stream, "dataset.stream.labelled=false", "dataset.stream.files=[0.npz,1.npz,2.npz,3.npz]")
    with pytest.raises(InputError, match="3.npz: is not there; put it back"):
        start(tmp_path / "run", *words, base=())
    assert summary(tmp_path / "run")["stages"][-1]["name"] == "period_3"


def test_what_was_judged_before_labels_ran_out_is_not_said_again(stream, tmp_path):
    without_labels(stream[1])
    words = asked(stream, "dataset.stream.labelled=false", "method=online_frozen")
    metrics = summary(start(tmp_path / "run", *words, base=()))["metrics"]
    assert not {"stream/accuracy", "present/accuracy"} & metrics.keys()
