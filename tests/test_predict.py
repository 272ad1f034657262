"""A finished run's network, used: it says of items what the run said of them, without the data that it learned from."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from pictured import images, pixels, save
from scipy.special import softmax

import sdrun
from helpers import SMALL, SMALL_TEXTS, predictions, rewrite_manifest, settings, start, summary, tree
from sdrun import methods, tasks
from sdrun.errors import InputError
from sdrun.methods.born_again import recipe

RUNS = {
    "supervised": (SMALL, "method=supervised"),
    "layerwise": (SMALL, "method=layerwise"),
    "fixmatch": (SMALL, "method=fixmatch", "dataset.num_labels=40"),
    "flexmatch": (SMALL, "method=flexmatch", "dataset.num_labels=40"),
    "ps_kd": (SMALL, "method=ps_kd"),
    "born_again": (SMALL, "method=born_again", "generations=2"),
    "mean_teacher": (SMALL, "method=mean_teacher", "dataset.num_labels=40"),
    "cs_kd": (SMALL, "method=cs_kd"),
    "without validation": (SMALL, "method=supervised", "dataset.val_size=0"),
    "seen otherwise too": (SMALL, "method=supervised", "dataset.test_view=strong"),
    "weighed": (SMALL, "method=supervised", "optim.class_weights=true"),
    "bag": (SMALL_TEXTS, "method=supervised", "model=bag", "model.width=8"),
    "transformer": (SMALL_TEXTS, "method=supervised", "model=transformer", "model.width=8", "model.depth=1"),
}
_made = {}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """By its name in ``RUNS``, a run of two epochs."""

    def make(name):
        if name not in _made:
            base, *overrides = RUNS[name]
            _made[name] = start(tmp_path_factory.mktemp("runs") / "run", "optim.epochs=2", *overrides, base=base)
        return _made[name]

    yield make
    _made.clear()


def items(name):
    """The test items of a run: images [N, C, H, W], or texts."""
    base, *overrides = RUNS[name]
    (field,) = tasks.load(settings(*base, *overrides).dataset).test.fields.values()
    return field if isinstance(field, np.ndarray) else list(field)


def said(path):
    """What the last stage that trained said of the test items, calibrated: [N, K]."""
    stage = [stage for stage in summary(path)["stages"] if stage["steps"]][-1]
    logits = predictions(path)[f"{stage['name']}/test_logits"].astype(np.float64)
    return softmax(logits / stage["metrics"].get("val/temperature", 1.0), axis=1)


@pytest.mark.parametrize("name", RUNS)
def test_it_says_what_the_run_said(name, made):
    path = made(name)
    model = sdrun.load(path)
    tested = items(name)
    np.testing.assert_allclose(model.predict(tested), said(path), atol=1e-5)
    np.testing.assert_allclose(model.predict(tested[7:9]), said(path)[7:9], atol=1e-5)
    assert len(model.classes) == said(path).shape[1]
    assert (model.temperature != 1) == (name != "without validation")
    assert not model.network.training


def test_it_is_the_stage_that_the_recipe_gives(made, monkeypatch):
    def first(settings, experiment):
        stages, fit = [], experiment.fit
        experiment.fit = lambda *arguments: stages.append(fit(*arguments)) or stages[-1]
        recipe.run(settings, experiment)
        return stages[0]

    path = made("born_again")
    monkeypatch.setattr(methods, "recipe", lambda name: first)
    stage = summary(path)["stages"][0]
    logits = predictions(path)[f"{stage['name']}/test_logits"].astype(np.float64)
    expected = softmax(logits / stage["metrics"]["val/temperature"], axis=1)
    np.testing.assert_allclose(sdrun.load(path).predict(items("born_again")), expected, atol=1e-5)


def test_to_load_changes_nothing_of_the_process_and_of_the_run(made):
    path = made("flexmatch")
    before, threads = tree(path), torch.get_num_threads()
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    sdrun.load(path).predict(items("flexmatch")[:2])
    assert torch.equal(torch.rand(1), expected)
    assert tree(path) == before
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_what_the_network_takes_is_to_hand(made):
    model = sdrun.load(made("supervised"))
    with torch.no_grad():
        logits = model.network(model.clean(items("supervised")[:3])).numpy()
    expected = softmax(logits.astype(np.float64) / model.temperature, axis=1)
    np.testing.assert_allclose(expected, model.predict(items("supervised")[:3]), atol=1e-6)


def test_hydra_is_not_needed(made):
    code = f"import sys, sdrun; sdrun.load({str(made('supervised'))!r}); "
    code += "print([name for name in sys.modules if name.split('.')[0] in ('hydra', 'matplotlib')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


WRONG_ITEMS = {
    "floats": (np.zeros((2, 1, 8, 8)), "images: must be uint8 of Nx1x8x8, but is float64 of 2x1x8x8"),
    "none": (np.zeros((0, 1, 8, 8), np.uint8), "images: must be uint8 of Nx1x8x8, but is uint8 of 0x1x8x8"),
    "a size": (np.zeros((2, 1, 9, 9), np.uint8), "images: must be uint8 of Nx1x8x8, but is uint8 of 2x1x9x9"),
    "channels": (np.zeros((2, 3, 8, 8), np.uint8), "images: must be uint8 of Nx1x8x8, but is uint8 of 2x3x8x8"),
    "one": (np.zeros((8, 8), np.uint8), "images: must be uint8 of Nx1x8x8, but is uint8 of 8x8"),
    "a number": (7, "images: must be uint8 of Nx1x8x8, but is int64 of no shape"),
    "ragged": ([[1], [1, 2]], "images: differ in shape; give an array"),
    "texts": (["a"], "images: must be uint8 of Nx1x8x8, but is <U1 of 1"),
}


@pytest.mark.parametrize("case", WRONG_ITEMS)
def test_items_of_another_kind_are_refused(case, made):
    items, told = WRONG_ITEMS[case]
    with pytest.raises(InputError) as error:
        sdrun.load(made("supervised")).predict(items)
    assert str(error.value).startswith(told)


def test_grey_images_need_no_channel(made):
    model, tested = sdrun.load(made("supervised")), items("supervised")
    np.testing.assert_array_equal(model.predict(tested[:5, 0]), model.predict(tested[:5]))


def test_texts_are_refused_where_they_are_none(made):
    model = sdrun.load(made("bag"))
    for texts, told in (
        ([], "texts: are none"),
        ([1], "texts: must be strings"),
        (["a", " "], "texts: number 2 is empty; leave it out"),
    ):
        with pytest.raises(InputError, match=told):
            model.predict(texts)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A run on a folder of images that is gone, and copies of those that were tested on, in their order."""
    place = tmp_path_factory.mktemp("place")
    base = (*SMALL[3:], "dataset=image_folder", "optim.batch_size=8", "optim.epochs=2", "method=supervised")
    images(place / "mine" / "train", "cat", "dog", num=12, height=9, width=11)
    images(place / "mine" / "test", "cat", "dog", num=4, first=100, height=9, width=11)
    words = (f"dataset.root={place / 'mine'}", f"dataset.cache={place / 'store'}", "dataset.val_size=6")
    path = start(place / "run", *words, base=base)
    (place / "mine" / "test").rename(place / "tested")
    (place / "mine").rename(place / "gone")
    (place / "store").rename(place / "gone" / "store")
    return path


@pytest.fixture
def tested(learned):
    return learned.parent / "tested"


def test_files_are_seen_as_the_run_saw_them(learned, tested):
    model = sdrun.load(learned)
    names, probabilities = model.read(tested)
    assert names == [str(path) for path in sorted(tested.rglob("*.png"))]
    np.testing.assert_allclose(probabilities, said(learned), atol=1e-5)
    names, one = model.read(str(tested / "cat" / "001.png"))
    assert names == [str(tested / "cat" / "001.png")]
    np.testing.assert_allclose(one, probabilities[1:2], atol=1e-6)


def test_files_may_have_any_kind_and_suffix(learned, tmp_path):
    save(tmp_path / "a.jpg", pixels(1, 40, 30, channels=1))
    save(tmp_path / "b.png", pixels(2)).rename(tmp_path / "b.data")
    model = sdrun.load(learned)
    assert model.read(tmp_path)[1].shape == (1, 2)
    assert model.read(tmp_path / "b.data")[1].shape == (1, 2)


def test_the_verb_names_the_likeliest_classes(learned, tested, called):
    likely = said(learned)
    file = tested / "dog" / "000.png"
    code, text = called("predict", str(learned), str(file), str(tested), "--top", "3", "--format", "json")
    assert code == 0, text
    records = json.loads(text)
    assert [record["item"] for record in records] == [str(file), *map(str, sorted(tested.rglob("*.png")))]
    for record, probabilities in zip(records[1:], likely, strict=True):
        best = int(probabilities.argmax())
        assert list(record) == ["item", "class", "probability", "class_2", "probability_2"]
        assert record["class"] == ("cat", "dog")[best]
        assert record["class_2"] == ("dog", "cat")[best]
        assert record["probability"] == pytest.approx(probabilities[best], abs=1e-4)
    code, text = called("predict", str(learned), str(file), "--format", "csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["item"], row["class"]) for row in rows] == [(str(file), records[0]["class"])]
    code, text = called("predict", str(learned), str(file))
    assert code == 0
    assert records[0]["class"] in text
    assert f"{records[0]['probability']:.4f}" in text


def test_texts_come_from_tables_and_lines(made, tmp_path, called):
    path = made("bag")
    texts = items("bag")[:3]
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    (tmp_path / "a.txt").write_text("\n\n".join(texts), encoding="utf-8")
    for name in ("a.csv", "a.txt"):
        names, probabilities = sdrun.load(path).read(tmp_path / name)
        assert names == texts
        np.testing.assert_allclose(probabilities, said(path)[:3], atol=1e-5)
    (tmp_path / "b.csv").write_text("x\nhello\n")
    code, text = called("predict", str(path), "b.csv")
    assert (code, len(text.splitlines())) == (2, 1)
    assert "dataset.text_column: b.csv has no column 'text' in its first line, the header, only 'x'" in text
    assert called("predict", str(path), "c.csv")[0] == 2


def npy(path, values):
    np.save(path, values, allow_pickle=True)
    return path


BAD = {
    "nowhere.png": lambda path: path,
    "empty.png": lambda path: path.write_bytes(b""),
    "text.png": lambda path: path.write_text("hello"),
    "half.png": lambda path: path.write_bytes(save(path, pixels(1, 40, 40)).read_bytes()[:700]),
    "empty": lambda path: path.mkdir(),
    "folder": lambda path: [path.mkdir(), (path / "a.png").write_bytes(b"x")],
    "nowhere.npy": lambda path: path,
    "broken.npy": lambda path: path.write_bytes(b"\x93NUMPY"),
    "objects.npy": lambda path: npy(path, np.array([{}], dtype=object)),
    "number.npy": lambda path: npy(path, np.zeros(())),
    "none.npy": lambda path: npy(path, np.zeros((0, 3, 8, 8), np.uint8)),
    "large.npy": lambda path: npy(path, np.zeros((2, 3, 9, 9), np.uint8)),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_named_in_one_line(name, learned, tmp_path, called):
    BAD[name](tmp_path / name)
    code, text = called("predict", str(learned), name)
    assert (code, text.count("\n")) == (2, 1), text
    assert text.startswith(f"sdrun: {name}"), text


def test_arrays_are_predicted(learned, tmp_path, called):
    npy(tmp_path / "a.npy", np.moveaxis(np.stack([pixels(1), pixels(2)]), -1, 1))
    code, text = called("predict", str(learned), "a.npy", "--format", "json")
    assert code == 0, text
    assert [record["item"] for record in json.loads(text)] == ["a.npy[0]", "a.npy[1]"]


def test_arrays_are_read_as_for_training(tmp_path, called, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images = np.stack([pixels(number, 8, 8) for number in range(40)])  # [N, H, W, C]
    np.savez("all.npz", Photos=images, y=np.arange(40) % 2)
    own = ("dataset=arrays", "dataset.root=all.npz", "dataset.x=photos", "dataset.val_size=8")
    path = start(
        tmp_path / "run", "optim.epochs=1", "model.widths=[4]", "optim.batch_size=8", *own, base=("method=supervised",)
    )
    (tmp_path / "folder").mkdir()
    npy(tmp_path / "folder" / "photos.npy", np.moveaxis(images[:3], -1, 1))
    npy(tmp_path / "alone.npy", images[:3] / 255)
    np.savez("new.npz", photos=(images[:3] / 255).astype(np.float32), others=images)
    np.savez("wrong.npz", others=images)
    expected = sdrun.load(path).predict(np.moveaxis(images[:3], -1, 1))
    for name in ("folder", "alone.npy", "new.npz"):
        names, probabilities = sdrun.load(path).read(name)
        assert names == [f"{name}[{number}]" for number in range(3)]
        np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    capsys.readouterr()
    code, text = called("predict", str(path), "wrong.npz")
    assert (code, text) == (2, "sdrun: wrong.npz: holds no array 'photos', only 'others'; rename one\n")


def test_a_run_that_cannot_be_used_is_named(tmp_path, called, capsys):
    base, *overrides = RUNS["supervised"]
    path = start(tmp_path / "run", "optim.epochs=1", *overrides, base=base)
    capsys.readouterr()
    save(tmp_path / "a.png", pixels(1))
    rewrite_manifest(path, status="interrupted")
    code, text = called("predict", str(path), "a.png")
    assert (code, text) == (2, f"sdrun: {path}: is interrupted; finish it by: sdrun resume {path}\n")
    code, text = called("predict", "nowhere", "a.png")
    assert (code, text.count("\n")) == (2, 1), text
    code, text = called("predict", str(path), "a.png", "--top", "0")
    assert (code, text) == (2, "sdrun: --top: must be at least 1, but is 0\n")
    rewrite_manifest(path, status="completed")
    weights = path / "stages/supervised/last.pt"
    weights.write_bytes(weights.read_bytes()[:-9])
    code, text = called("predict", str(path), "a.png")
    assert (code, text.count("\n")) == (1, 1), text
    weights.unlink()
    code, text = called("predict", str(path), "a.png")
    assert (code, text.count("\n")) == (1, 1), text


def test_features_are_no_classes(tmp_path):
    path = start(tmp_path / "run", "method=dino", "optim.epochs=1")
    with pytest.raises(InputError) as error:
        sdrun.load(path)
    way = f"fine-tune from it, by: sdrun method=supervised init_from={path} ..."
    assert str(error.value) == f"{path}: dino gives features and no classes; {way}"
