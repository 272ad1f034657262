"""Arrays in files: every form gives the same, and what is broken or hostile says so in one line."""

import io
import pickle
import re
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from owned import folder, load, npz, safetensors, vectors

from sdrun import tasks
from sdrun.data.arrays import opened
from sdrun.errors import InputError

X, Y = vectors()
FORMS = {"npz": ("all.npz", npz), "safetensors": ("all.safetensors", safetensors), "npy": ("all", folder)}


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr(tasks, "_loaded", {})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "names", [("x", "y"), ("X", "Y"), ("train_x", "train_y"), ("x_train", "y_train"), ("X_train", "y_train")]
)
def test_each_form_and_spelling_gives_the_same(form, names, tmp_path):
    name, write = FORMS[form]
    published = load(write(tmp_path / name, **dict(zip(names, (X, Y), strict=True))))
    both = [*published.train.fields["vector"], *published.test.fields["vector"]]
    assert sorted(map(tuple, both)) == sorted(map(tuple, X))
    assert (len(published.test), published.classes) == (12, ["0", "1", "2"])
    for part in (published.train, published.test):
        for vector, label in zip(part.fields["vector"], part.labels, strict=True):
            assert Y[(vector == X).all(axis=1)].tolist() == [label]


def test_other_names_are_settings(tmp_path):
    file = npz(tmp_path / "a.npz", train_Features=X, targets_train=Y, features_test=X[:9], test_targets=Y[:9], x=X[:1])
    published = load(file, x="features", y="targets")
    assert (len(published.train), len(published.test)) == (60, 9)


@pytest.mark.parametrize("val", ["val", "valid", "validation"])
def test_parts_are_those_of_the_file(val, tmp_path):
    parts = {"train_x": X[:30], "train_y": Y[:30], f"{val}_x": X[30:50], f"y_{val}": Y[30:50]}
    published = load(folder(tmp_path / "all", **parts, test_x=X[50:], test_y=Y[50:]))
    assert np.array_equal(published.train.fields["vector"][published.validation], X[30:50])
    assert published.train.labels[published.validation].tolist() == Y[30:50].tolist()
    assert np.array_equal(published.test.fields["vector"], X[50:])
    without = load(folder(tmp_path / "without", **parts))
    assert (len(without.train), len(without.validation), len(without.test)) == (24 + 20, 20, 6)
    assert np.array_equal(without.train.fields["vector"][without.validation], X[30:50])


def test_a_folders_arrays_are_mapped_and_not_read(tmp_path):
    arrays = opened(folder(tmp_path / "all", x=X), "dataset.root")
    assert isinstance(arrays["x"], np.memmap)


# What is not as it should be ----------------------------------------------------------------------------------------


def header(shape: str, descr: str = "'<f4'", length: int | None = None) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) if length is None else length) + text


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


BROKEN = {
    "nothing": (b"", r"cannot be read \("),
    "no array": (b"\x89PNG and more", r"cannot be read \(the magic string is not correct"),
    "cut": (npy(X)[:-7], r"cannot be read \("),
    "cut in its header": (npy(X)[:40], r"cannot be read \("),
    "announces too much": (header("(1152921504606846976, 4)") + bytes(64), r"cannot be read \("),
    "beyond all numbers": (header(f"({10**40}, 4)") + bytes(64), r"cannot be read \("),
    "negative": (header("(-1, 4)") + bytes(64), r"cannot be read \("),
    "a header of code": (header("(__import__('os').system('touch ran'),)") + bytes(64), r"cannot be read \("),
    "a longest header": (header("(1, " + " " * 20000 + "4)") + bytes(64), r"cannot be read \("),
    "objects": (npy(np.array([["a"], [1]], dtype=object)), "holds Python objects, which could run code; write numbers"),
}


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_array_names_its_file(case, form, tmp_path, monkeypatch):
    data, message = BROKEN[case]
    monkeypatch.chdir(tmp_path)
    if form == "npz":
        path = tmp_path / "all.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", data)
            archive.writestr("y.npy", npy(Y))
    else:
        path = folder(tmp_path / "all", y=Y)
        (path / "x.npy").write_bytes(data)
    assert re.search(f"^{path}: {message}", refused(path))
    assert not Path("ran").exists()


def refused(root, dataset="vectors", **values) -> str:
    """The message, which is one line that can be printed."""
    with pytest.raises(InputError) as error:
        load(root, dataset, **values)
    message = str(error.value)
    assert message.isprintable()
    assert len(message) < 600
    return message


@pytest.mark.parametrize("name", ["all.npz", "all.safetensors"])
@pytest.mark.parametrize(
    "change", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"PK" * len(data)]
)
def test_a_broken_archive_names_itself(name, change, tmp_path):
    path = FORMS[name[4:]][1](tmp_path / name, x=X, y=Y)
    path.write_bytes(change(path.read_bytes()))
    assert refused(path).startswith(f"{path}: cannot be read (")


def test_a_header_of_safetensors_that_announces_too_much_is_named(tmp_path):
    path = tmp_path / "all.safetensors"
    path.write_bytes(struct.pack("<Q", 2**62) + b"{}")
    assert refused(path).startswith(f"{path}: cannot be read (")


def test_a_pickle_runs_nothing(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    for name, data in {"x.npy": pickle.dumps(Hostile()), "y.npy": npy(Y)}.items():
        (tmp_path / name).write_bytes(data)
    refused(tmp_path)
    path = tmp_path / "all.npz"
    path.write_bytes(pickle.dumps(Hostile()))
    refused(path)
    assert not (tmp_path / "ran").exists()


def test_where_safetensors_is_lacking_its_way_in_is_told(tmp_path, monkeypatch):
    path = safetensors(tmp_path / "all.safetensors", x=X, y=Y)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert refused(path) == f"{path}: needs the safetensors library; get it by: pip install 'sdrun[arrays]'"


PLACES = {
    "no root": (lambda path: None, "dataset.root: is missing; name your file: dataset.root=FILE"),
    "not there": (
        lambda path: path / "none.npz",
        "dataset.root: PLACE is not there; name a .npz or .safetensors file, or a folder that holds x.npy and y.npy",
    ),
    "one array": (
        lambda path: folder(path / "a", x=X) / "x.npy",
        "dataset.root: PLACE is no file of arrays; name a .npz or",
    ),
    "an empty folder": (
        lambda path: folder(path / "a"),
        "PLACE: holds no arrays; write x and y, such as by numpy.savez",
    ),
    "an empty archive": (lambda path: npz(path / "a.npz"), "PLACE: holds no arrays"),
    "no x": (
        lambda path: npz(path / "a.npz", features=X, y=Y),
        "dataset.x: PLACE holds no array 'x' or 'train_x'; name the one that is meant, of 'features', 'y'",
    ),
    "no y": (lambda path: npz(path / "a.npz", x=X), "dataset.y: PLACE holds no array 'y' or 'train_y'; name the one"),
    "no test_y": (
        lambda path: npz(path / "a.npz", train_x=X, train_y=Y, test_x=X),
        "dataset.y: PLACE holds no array 'y' or 'test_y'",
    ),
    "both x": (lambda path: npz(path / "a.npz", x=X, X=X, y=Y), "PLACE: holds 'x', 'X', of which one is meant"),
    "x and train_x": (
        lambda path: npz(path / "a.npz", x=X, y=Y, train_x=X, train_y=Y),
        "PLACE: holds x and train_x; leave out one of them",
    ),
    "lengths": (
        lambda path: npz(path / "a.npz", x=X, y=Y[:-1]),
        "PLACE, y: has 59 rows for the items of x, which are 60; write one for each",
    ),
    "no items": (lambda path: npz(path / "a.npz", x=X[:0], y=Y[:0]), "PLACE, x: holds no items"),
    "a number": (lambda path: npz(path / "a.npz", x=np.float32(3), y=Y), "PLACE, x: holds no items"),
}


@pytest.mark.parametrize("case", PLACES)
def test_what_is_not_there_or_does_not_go_together_is_named(case, tmp_path):
    make, message = PLACES[case]
    path = make(tmp_path)
    assert refused(path).startswith(message.replace("PLACE", str(path)))


@pytest.mark.parametrize("place", ["/dev/zero", "pipe"])
def test_what_is_no_file_is_not_waited_for(place, tmp_path, monkeypatch):
    import os

    monkeypatch.chdir(tmp_path)
    if place == "pipe":
        os.mkfifo("pipe.npz")
        place = "pipe.npz"
    assert "dataset.root: " in refused(place)
