"""Files that somebody made to be wrong: none hangs, fills the memory, runs code or gets through to a run."""

import gzip
import io
import os
import pickle
import re
import socket
import struct
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers import idx, settings, write_idx
from sdrun import tasks
from sdrun.errors import InputError
from sdrun.tasks import load
from sdrun.tasks.images.idx import IDX_FILES

MNIST, CIFAR = "dataset=mnist", "dataset=cifar100"
WRITTEN_BY_PYTHON_2 = (
    b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 1q\x03U\x0bfine_labelsq\x04]q\x05(K\x06K\x63e"
    b"U\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09"
    b"(K\x01K\x02M\x00\x0c\x86cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xff"
    b"J\xff\xff\xff\xffK\x00tb\x89T\x00\x18\x00\x00"
    + bytes(range(256)) * 24
    + b"tbU\tfilenamesq\x0c]q\x0d(U\x01aU\x01beu."
)


@pytest.fixture(autouse=True)
def _no_files(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tasks, "_loaded", {})


def refused(dataset: str, root: Path, name: str) -> str:
    """The message, which is one line and names the file; little memory was taken."""
    asked = replace(settings(dataset).dataset, root=str(root))
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as error:
            load(asked)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
    message = str(error.value)
    assert name in message
    assert "\n" not in message
    assert message.isprintable()
    return message


def header(*shape: int) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


IDX = {
    "bomb": (0, lambda data: gzip.compress(header(20, 28, 28) + bytes(200_000_000), 1), "holds more than the 15680"),
    "announces too much": (0, lambda data: header(2**31, 2**15, 2**15), "announces .* more than 1 GiB"),
    "wraps around": (0, lambda data: header(2**31, 2**31, 4), "announces .* more than 1 GiB"),
    "255 dimensions": (0, lambda data: header(*[1] * 255) + b"\0", "has 255 dimensions instead of 3"),
    "flat images": (0, lambda data: idx(np.zeros(20, np.uint8)), "has 1 dimensions instead of 3"),
    "square labels": (1, lambda data: idx(np.zeros((20, 1), np.uint8)), "has 2 dimensions instead of 1"),
    "no pixels": (0, lambda data: header(20, 0, 28), "of 0x28 pixels"),
    "not square": (0, lambda data: idx(np.zeros((20, 3, 200), np.uint8)), "of 3x200 pixels"),
    "no images": (0, lambda data: header(0, 28, 28), "holds no images"),
    "too long": (0, lambda data: data + b"\0", "holds more than the 15680"),
    "no test images": (2, lambda data: header(0, 28, 28), "holds no images"),
    "another size": (2, lambda data: idx(np.zeros((10, 14, 14), np.uint8)), "of 14x14 pixels.* 28x28"),
}


@pytest.mark.parametrize("case", IDX)
def test_an_odd_idx_file_is_refused_in_one_line(tmp_path, case):
    number, change, message = IDX[case]
    path = write_idx(tmp_path) / IDX_FILES[number]
    data = change(path.read_bytes())
    if case == "bomb":
        path.unlink()
        path = path.with_name(path.name + ".gz")
    path.write_bytes(data)
    assert re.search(message, refused(MNIST, tmp_path, path.name))


@pytest.mark.parametrize("dataset", [MNIST, CIFAR])
@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "device", "forbidden", "endless"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, dataset, kind, monkeypatch):
    write_idx(tmp_path)
    write_cifar(tmp_path)
    name = IDX_FILES[0] if dataset == MNIST else "train"
    path = tmp_path / name
    path.unlink()
    monkeypatch.chdir(tmp_path)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "forbidden":
        path.symlink_to("/proc/self/mem")
    else:
        with path.open("wb") as file:
            file.truncate(2**40)
    refused(dataset, tmp_path, name)


def write_cifar(folder: Path, **changes: object) -> Path:
    """The files of CIFAR-100 with four images; ``changes`` of what is in the one that trains."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    content = {"data": pixels, "fine_labels": [0, 1, 2, 3]}
    (folder / "test").write_bytes(pickle.dumps(content, protocol=2))
    content = {key: value for key, value in {**content, **changes}.items() if value is not None}
    (folder / "train").write_bytes(pickle.dumps(content, protocol=2))
    return folder / "train"


def recursive() -> list:
    labels: list = []
    labels.append(labels)
    return labels


LABELS = {
    "float": [0.0, 1.0, 2.0, 3.5],
    "nan": [float("nan")] * 4,
    "bool": [True, False, True, False],
    "text": ["1", "2", "3", "4"],
    "none": [None] * 4,
    "negative": [0, 1, 2, -1],
    "too large": [0, 1, 2, 100],
    "beyond 64 bits": [0, 1, 2, 2**64],
    "few": [0, 1],
    "nested": [[0], [1], [2], [3]],
    "recursive": recursive(),
    "number": 3,
    "missing": None,
}


@pytest.mark.parametrize("case", LABELS)
def test_labels_of_cifar_that_are_no_classes_are_refused(tmp_path, case):
    write_cifar(tmp_path, fine_labels=LABELS[case])
    assert "label" in refused(CIFAR, tmp_path, "train")


DATA = {
    "float": np.zeros((4, 3072)),
    "signed": np.zeros((4, 3072), np.int8),
    "flat": np.zeros(4 * 3072, np.uint8),
    "small": np.zeros((4, 1024), np.uint8),
    "empty": np.zeros((0, 3072), np.uint8),
    "objects": np.array([[None] * 3072] * 4, dtype=object),
    "list": [[0] * 3072] * 4,
    "text": "x" * 4 * 3072,
    "missing": None,
}


@pytest.mark.parametrize("case", DATA)
def test_data_of_cifar_that_are_no_images_are_refused(tmp_path, case):
    write_cifar(tmp_path, data=DATA[case])
    refused(CIFAR, tmp_path, "train")


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def with_array(shape: tuple[int, ...], raw: bytes) -> bytes:
    """A batch whose array says this of itself."""
    start, rest = WRITTEN_BY_PYTHON_2.split(b"K\x02M\x00\x0c\x86", 1)
    numbers = b"".join(b"\x8a\x09" + side.to_bytes(9, "little") for side in shape)
    before = rest.split(b"\x89T", 1)[0]
    return start + b"(" + numbers + b"t" + before + b"\x89T" + struct.pack("<I", len(raw)) + raw + b"tbu."


PICKLES = {
    "calls ndarray": pickle.dumps(Call(np.ndarray, (2**40,)), protocol=2),
    "array of a giant shape": with_array((2**40, 3072), bytes(3072)),
    "array of a negative shape": with_array((2**64, 3072), b""),
    "array cut short": with_array((2, 3072), bytes(3072)),
    "memo far away": b"\x80\x02}r\xff\xff\xff\x7f.",
    "long text that is not there": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"x.",
    "bytearray that is not there": b"\x80\x05\x96" + struct.pack("<Q", 2**36) + b"x.",
    "frame that is not there": b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"N.",
    "many objects": b"\x80\x02" + b"}" * 10_000_000 + b".",
    "deep": b"\x80\x02}" + b"K\x01" + b"\x85" * 3_000_000 + b"K\x01s.",
    "many calls": b"\x80\x02c_codecs\nencode\nq\x01X\x40\x42\x0f\x00"
    + b"x" * 1_000_000
    + b"X\x06\x00\x00\x00latin1\x86q\x02"
    + b"h\x01h\x02R" * 100_000
    + b".",
    "odd codec": pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "fine_labels": [0]}, protocol=2).replace(
        b"latin1", b"utf_16"
    ),
    "other code": b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
    "odd name": b"\x80\x02cos\x1b[31m\nsys tem\nX\x04\x00\x00\x00true\x85R.",
    "changes what it calls": b"\x80\x02cnumpy\nndarray\nN}X\x08\x00\x00\x00__call__Ns\x86b.",
    "persistent": b"\x80\x02K\x01Q.",
    "extension": b"\x80\x02\x82\x01.",
    "stack runs out": b"\x80\x02000.",
    "text": "ünïcode".encode(),
    "zeros": bytes(1000),
    "nothing": b"",
    "cut": WRITTEN_BY_PYTHON_2[:3000],
    "huge number": b"\x80\x02" + b"L" + b"9" * 10_000 + b"L\n.",
}


@pytest.mark.parametrize("case", PICKLES)
def test_a_hostile_pickle_is_refused_in_one_line(tmp_path, case):
    path = write_cifar(tmp_path)
    path.write_bytes(PICKLES[case])
    refused(CIFAR, tmp_path, "train")


def test_a_batch_as_python_2_wrote_it_is_read(tmp_path):
    write_cifar(tmp_path).write_bytes(WRITTEN_BY_PYTHON_2)
    source = load(settings(CIFAR, f"dataset.root={tmp_path}").dataset)
    assert source.train.labels.tolist() == [6, 99]
    assert source.train.fields["image"].tobytes() == bytes(range(256)) * 24
    assert source.train.fields["image"].shape == (2, 3, 32, 32)


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_batch_of_any_protocol_and_order_is_read(tmp_path, protocol):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    file = io.BytesIO()
    pickle.Pickler(file, protocol).dump({"data": np.asfortranarray(pixels), "fine_labels": [3, 2, 1, 0]})
    write_cifar(tmp_path).write_bytes(file.getvalue())
    source = load(settings(CIFAR, f"dataset.root={tmp_path}").dataset)
    np.testing.assert_array_equal(source.train.fields["image"].reshape(4, -1), pixels)
    assert source.train.labels.tolist() == [3, 2, 1, 0]
