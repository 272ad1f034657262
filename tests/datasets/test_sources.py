"""Reading files: whole, missing, broken, hostile."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import mnist

from helpers import idx, settings, write_idx
from sdrun import tasks
from sdrun.errors import InputError
from sdrun.tasks import load
from sdrun.tasks.images.idx import IDX_FILES, read_idx
from sdrun.tasks.images.sources import digits, fashion_mnist

FASHION = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(autouse=True)
def _no_files(monkeypatch, tmp_path):
    """Neither a cache nor a system folder, but the ones that a test makes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tasks, "_loaded", {})


def write_cifar(folder: Path, names: list[str], key: str, num: int = 4) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        random = np.random.default_rng(seed)
        content = {"data": random.integers(0, 256, (num, 3072), dtype=np.uint8), key: list(range(num))}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    return folder


@pytest.mark.parametrize(("zipped", "subfolder"), [(False, ""), (True, ""), (True, "MNIST/raw")])
def test_idx_files_plain_gzipped_and_where_torchvision_puts_them(tmp_path, zipped, subfolder):
    write_idx(tmp_path / subfolder, zipped)
    source = load(settings("dataset=mnist", f"dataset.root={tmp_path}").dataset)
    assert source.train.fields["image"].shape == (20, 1, 28, 28)
    assert source.test.labels.shape == (10,)
    plain = write_idx(tmp_path / "again")
    ours, theirs = read_idx(plain / IDX_FILES[0], 3), mnist.read_image_file(str(plain / IDX_FILES[0]))
    np.testing.assert_array_equal(ours, theirs.numpy())


def test_cifar_10_and_100_agree_with_what_was_written(tmp_path):
    names = [*(f"data_batch_{part}" for part in range(1, 6)), "test_batch"]
    write_cifar(tmp_path / "cifar-10-batches-py", names, "labels")
    write_cifar(tmp_path / "cifar-100-python", ["train", "test"], "fine_labels")
    ten = load(settings("dataset=cifar10", f"dataset.root={tmp_path}").dataset)
    assert ten.train.fields["image"].shape == (20, 3, 32, 32)
    assert ten.train.labels.tolist() == [0, 1, 2, 3] * 5
    first = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8).reshape(4, 3, 32, 32)
    np.testing.assert_array_equal(ten.train.fields["image"][:4], first)
    hundred = load(settings("dataset=cifar100", f"dataset.root={tmp_path}").dataset)
    assert hundred.test.fields["image"].shape == (4, 3, 32, 32)
    assert len(hundred.classes) == 100


def test_a_pickle_that_asks_for_code_is_refused_by_name(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    write_cifar(tmp_path, ["train", "test"], "fine_labels")
    (tmp_path / "train").write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(InputError, match=r"train is no CIFAR batch \(it asks for"):
        load(settings("dataset=cifar100", f"dataset.root={tmp_path}").dataset)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content", [[1], None, {"data": 3}, {"data": np.zeros((4, 3072), np.uint8), "fine_labels": [200] * 4}]
)
def test_a_pickle_of_something_else_is_refused_by_name(tmp_path, content):
    write_cifar(tmp_path, ["train", "test"], "fine_labels")
    (tmp_path / "test").write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match="test (is no CIFAR batch|holds labels outside of 0 to 99)"):
        load(settings("dataset=cifar100", f"dataset.root={tmp_path}").dataset)


def test_a_root_that_cannot_be_a_folder_is_named():
    with pytest.raises(InputError, match=r"dataset.root: .*File name too long"):
        load(settings("dataset=mnist", f"dataset.root={'x' * 300}").dataset)


def test_missing_files_are_named_with_the_ways_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setattr(fashion_mnist, "FILES", replace(fashion_mnist.FILES, system=tmp_path / "system"))
    with pytest.raises(InputError) as error:
        load(settings("dataset=fashion_mnist").dataset)
    text = str(error.value)
    for part in ("train-images-idx3-ubyte", "cache", "system", "apt-get", "dataset.root=", "dataset.download=true"):
        assert part in text
    assert text.count("\n") < 10


def test_the_root_comes_before_the_system_folder(tmp_path, monkeypatch):
    system = write_idx(tmp_path / "system")
    monkeypatch.setattr(fashion_mnist, "FILES", replace(fashion_mnist.FILES, system=system))
    assert len(load(settings("dataset=fashion_mnist").dataset).train) == 20
    with pytest.raises(InputError, match="are not in nowhere\n"):  # never other data than those that were named
        load(settings("dataset=fashion_mnist", "dataset.root=nowhere").dataset)
    (write_idx(tmp_path / "mine") / IDX_FILES[2]).write_bytes(idx(np.zeros((10, 28, 28), np.uint8)))
    mine = load(settings("dataset=fashion_mnist", f"dataset.root={tmp_path / 'mine'}").dataset)
    assert mine.test.fields["image"].max() == 0


def cut(data):
    return data[:-7]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (IDX_FILES[0], cut, "announces 20x28x28 bytes and holds 15673"),
        (IDX_FILES[0], lambda data: b"\x89PNG" + data[4:], "is no idx file"),
        (IDX_FILES[1], lambda data: idx(np.zeros(19, np.uint8)), "holds 19 labels for 20 images"),
        (IDX_FILES[1], lambda data: idx(np.full(20, 11, np.uint8)), "holds labels above 9"),
        (IDX_FILES[3], lambda data: b"", "is no idx file"),
        (IDX_FILES[0], lambda data: data[:9], "is cut inside its header"),
    ],
)
def test_a_broken_file_names_itself(tmp_path, name, change, message):
    path = write_idx(tmp_path) / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=message) as error:
        load(settings("dataset=mnist", f"dataset.root={tmp_path}").dataset)
    assert name in str(error.value)


def test_a_cut_gzip_file_names_itself(tmp_path):
    path = write_idx(tmp_path, zipped=True) / f"{IDX_FILES[0]}.gz"
    path.write_bytes(cut(path.read_bytes()))
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz cannot be read"):
        load(settings("dataset=mnist", f"dataset.root={tmp_path}").dataset)


def test_a_failed_download_is_told_in_one_line(tmp_path, monkeypatch):
    from torchvision import datasets

    def fail(*arguments, **options):
        raise RuntimeError("Error downloading\nwith a long story")

    monkeypatch.setattr(datasets, "CIFAR10", fail)
    with pytest.raises(InputError, match="CIFAR10 could not be fetched to .*: Error downloading$"):
        load(settings("dataset=cifar10", "dataset.download=true", f"dataset.root={tmp_path}").dataset)


def test_a_download_is_read_from_where_it_went(tmp_path, monkeypatch):
    from torchvision import datasets

    monkeypatch.setattr(datasets, "MNIST", lambda root, download: write_idx(Path(root) / "MNIST/raw"))
    source = load(settings("dataset=mnist", "dataset.download=true").dataset)
    assert len(source.train) == 20
    assert (tmp_path / "cache/sdrun/MNIST/raw").is_dir()


def pixels(source):
    x = source.train.fields["image"] / 255
    return x.mean(axis=(0, 2, 3)), x.std(axis=(0, 2, 3))


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    images, labels = digits.read()
    published = load_digits()
    np.testing.assert_array_equal(images, published.images)
    np.testing.assert_array_equal(labels, published.target)


def test_digits_and_their_normalisation():
    chosen = settings("dataset=digits").dataset
    source = load(chosen)
    assert source.train.fields["image"].shape == (1437, 1, 8, 8)
    assert source.test.fields["image"].shape == (360, 1, 8, 8)
    assert np.bincount(source.test.labels).min() >= 34
    np.testing.assert_allclose(pixels(source), (chosen.mean, chosen.std), atol=1e-3)


@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist_and_its_normalisation():
    chosen = settings("dataset=fashion_mnist").dataset
    source = load(chosen)
    assert source.train.fields["image"].shape == (60000, 1, 28, 28)
    assert np.bincount(source.test.labels).tolist() == [1000] * 10
    np.testing.assert_allclose(pixels(source), (chosen.mean, chosen.std), atol=1e-3)
