"""Runs on vectors of one's own: what of the data reaches them, and how they are judged elsewhere."""

import json

import numpy as np
import pytest
import torch
import yaml
from owned import npz, table, vectors

import sdrun
from helpers import QUICK, SMALL_VECTORS, check, manifest, predictions, settings, start, summary, weights
from sdrun.answers.categorical import Categorical
from sdrun.errors import InputError, RunError
from sdrun.losses.distillation import cwtm
from sdrun.methods.ps_kd.objective import Progressive
from sdrun.storage.folder import RunFolder
from sdrun.tasks.vectors.task import _read

BASE = ("dataset=vectors", "method=supervised", "optim.batch_size=16", "optim.epochs=2", "model.width=8")
BASE = (*BASE, "log_every=2", *QUICK)
X, Y = vectors()
SHARES = np.random.default_rng(0).dirichlet(np.ones(3), 60).astype(np.float32)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    return start(folder / "run", f"dataset.root={table(folder / 'a.csv', X, Y)}", base=BASE)


def test_numbers_are_standardised_by_training_items_and_these_numbers_are_kept(run):
    kept = json.loads((run / "standardisation.json").read_text())
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["dataset"]["val_size"] == 4
    assert "standardisation.json" in manifest(run)["files"]
    mean, std = (np.array(kept[name]) for name in ("mean", "std"))
    assert mean.shape == std.shape == (4,)
    assert not np.allclose(mean, X.mean(axis=0))  # for validation and test had no say in them
    np.testing.assert_allclose(mean, X.mean(axis=0), atol=1)


def test_what_is_tested_on_and_validated_on_changes_no_weight(tmp_path):
    arrays = {"train_x": X[:40], "train_y": Y[:40]}
    runs = []
    for number, others in enumerate((X[40:], X[40:] * 50)):
        more = {"val_x": others, "val_y": Y[40:], "test_x": others, "test_y": Y[40:]}
        file = npz(tmp_path / f"{number}.npz", **arrays, **more)
        runs.append(start(tmp_path / f"run_{number}", f"dataset.root={file}", base=BASE))
    one, other = map(weights, runs)
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)


def test_a_column_that_is_always_the_same_does_no_harm(tmp_path):
    even = np.concatenate([X, np.full((60, 1), 3e8, np.float32)], axis=1)
    path = start(tmp_path / "run", f"dataset.root={npz(tmp_path / 'a.npz', x=even, y=Y)}", base=BASE)
    kept = json.loads((path / "standardisation.json").read_text())
    assert (kept["mean"][-1], kept["std"][-1]) == (3e8, 1.0)
    assert all(tensor.isfinite().all() for tensor in weights(path).values() if tensor.is_floating_point())


def test_all_of_another_table_is_judged_by_the_numbers_and_classes_of_the_run(run, tmp_path, called):
    file = table(tmp_path / "other.csv", X[:7] * 3, ["1"] * 7)
    code, text = called("evaluate", str(run), "--root", str(file))
    assert code == 0, text
    (again,) = (run / "evaluations").iterdir()
    assert predictions(again)["supervised/test_labels"].tolist() == [1] * 7
    assert (again / "standardisation.json").read_bytes() == (run / "standardisation.json").read_bytes()
    code, text = called("evaluate", str(run), "--root", str(table(tmp_path / "third.csv", X[:3], ["0", "9", "1"])))
    assert (code, text.count("\n")) == (2, 1)
    assert "sdrun: --root: " in text
    assert "third.csv, line 3: no item for training has the label '9', only '0', '1', '2'" in text


def test_arrays_are_predicted_as_tables_are(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "a.csv", X[:5], ["?"] * 5)
    np.save("a.npy", X[:5])
    npz(tmp_path / "a.npz", x=X[:5], other=X)
    model = sdrun.load(run)
    for name in ("a.csv", "a.npy", "a.npz"):
        names, probabilities = model.read(name)
        assert names == [f"{name}[{number}]" for number in range(5)]
        np.testing.assert_allclose(probabilities, model.predict(X[:5]), atol=1e-6)


def test_arrays_that_cannot_be_predicted_are_named(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY")
    np.save("narrow.npy", X[:5, :3])
    np.save("none.npy", X[:0])
    npz(tmp_path / "others.npz", z=X)
    told = {
        "broken.npy": "cannot be read",
        "narrow.npy": "has 3 numbers an item, and the run has 4",
        "none.npy": "holds no items",
        "others.npz": "holds no array 'x', only 'z'; rename one",
    }
    for name, words in told.items():
        with pytest.raises(InputError, match=f"^{name}.*{words}"):
            sdrun.load(run).read(name)


def test_a_run_that_starts_from_another_sees_items_as_that_one_did(run, tmp_path):
    file = table(tmp_path / "b.csv", X * 2, Y)
    path = start(tmp_path / "run", f"dataset.root={file}", f"init_from={run}", base=BASE)
    assert (path / "standardisation.json").read_bytes() == (run / "standardisation.json").read_bytes()


def test_shares_are_what_training_learns(tmp_path):
    file = npz(tmp_path / "a.npz", x=X, y=SHARES)
    hard = npz(tmp_path / "b.npz", x=X, y=SHARES.argmax(axis=1))
    soft, plain = (start(tmp_path / f"run_{f.stem}", f"dataset.root={f}", base=BASE) for f in (file, hard))
    one, other = weights(soft), weights(plain)
    assert any(not one[name].equal(other[name]) for name in one)
    assert summary(soft)["metrics"].keys() >= {"test/accuracy", "test/crowd_kl", "val/crowd_kl"}
    np.testing.assert_allclose(predictions(soft)["supervised/test_crowd"].sum(axis=1), 1, rtol=1e-5)
    assert "labels are shares of the classes" in (soft / "run.log").read_text()


def test_shares_of_0_and_1_weigh_a_teacher_as_classes_do():
    torch.manual_seed(0)
    student, teacher, label = torch.randn(6, 3), torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    shares = torch.nn.functional.one_hot(label).float()
    torch.testing.assert_close(cwtm(student, teacher, shares), cwtm(student, teacher, label))


def test_ps_kd_begins_with_the_shares_themselves():
    chosen = settings("method=ps_kd").method
    shares = torch.tensor(SHARES)
    assert Progressive(torch.nn.Identity(), Categorical(3), chosen, shares, 3, 10, lambda x: x).memory.equal(shares)


def test_a_standardisation_that_is_none_is_named(run, tmp_path):
    device = torch.device("cpu")
    for document in (b"", b"[]", b'{"mean": [0]}', b'{"mean": ["a"], "std": [1]}'):
        with pytest.raises(RunError, match="standardisation.json holds no mean and std .*; restore it from a copy"):
            _read(document, (1,), device)
    for document in (b'{"mean": [0], "std": [0]}', b'{"mean": [0, 1], "std": [1, 1]}', b'{"mean": [NaN], "std": [1]}'):
        with pytest.raises(RunError, match="standardisation.json holds no mean and std of 1 numbers"):
            _read(document, (1,), device)


REFUSED = {
    ("dataset.views.weak.noise=-1",): "dataset.views.weak.noise: must be at least 0, but is -1",
    ("dataset.views.weak.mask=1.5",): "dataset.views.weak.mask: must be between 0 and 1, but is 1.5",
    ("dataset.views.strong.mask=0.8",): "dataset.views.strong.swap: and mask are shares of the same numbers, at most 1",
    ("model=bag",): "model: bag takes texts, and dataset=vectors has vectors",
    ("method=dino",): "method: dino needs images, and dataset=vectors has vectors",
    ("dataset.mean=[1]",): "dataset.mean: has no effect with dataset=vectors; it is a setting of images datasets",
    ("model.depth=0",): "model.depth: must be at least 1, but is 0",
    ("dataset.views.global.noise=1",): "dataset.views.global",
}


@pytest.mark.parametrize("overrides", REFUSED)
def test_what_makes_no_sense_is_refused_before_a_folder_is_made(overrides, tmp_path, called):
    file = npz(tmp_path / "a.npz", x=X, y=Y)
    code, text = called(*BASE, f"dataset.root={file}", *overrides, "hydra.run.dir=run")
    assert (code, text.count("\n")) == (2, 1), text
    assert text.startswith(f"sdrun: {REFUSED[overrides]}")
    assert not (tmp_path / "run").exists()


def test_the_columns_of_a_table_go_by_their_names(tmp_path):
    x, y = vectors(60)
    lines = [f"{a:g},{b:g},{label}" for (a, b, *_), label in zip(x, y, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["one,two,label", *lines]))
    turned = [f"{b:g},{label},{a:g},9" for (a, b, *_), label in zip(x, y, strict=True)]
    (tmp_path / "b.csv").write_text("\n".join(["two,label,one,more", *turned]))
    (tmp_path / "c.csv").write_text("one,more\n1,2\n")
    path = start(tmp_path / "run", f"dataset.root={tmp_path / 'a.csv'}", "method=supervised", base=SMALL_VECTORS)
    assert RunFolder.open(path).document("config.yaml")["dataset"]["columns"] == ["one", "two"]
    model = sdrun.load(path)
    both = [model.read(tmp_path / name)[1] for name in ("a.csv", "b.csv")]
    np.testing.assert_array_equal(*both)
    with pytest.raises(InputError, match="dataset.columns: .*c.csv has no column 'two'"):
        model.read(tmp_path / "c.csv")


def test_numbers_that_float32_cannot_tell_apart_are_refused(tmp_path):
    x = np.stack([1.7e9 + np.arange(60), np.arange(60)], axis=1)
    file = npz(tmp_path / "a.npz", x=x, y=np.arange(60) % 2)
    with pytest.raises(InputError, match="its number 0 is up to 1.7e.09 and differs by 59, which float32 cannot"):
        check("dataset=vectors", f"dataset.root={file}")
