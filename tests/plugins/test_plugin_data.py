"""What a plugin may give as a dataset or a model, and what is said of one that cannot be used."""

import tracemalloc

import numpy as np
import pytest
import torch
from labs import FEW, lab

from helpers import images, settings, summary
from sdrun import models, run, tasks
from sdrun.errors import InputError
from sdrun.plugins import loading
from sdrun.settings import Item

HEAD = """
import numpy as np
import torch
from PIL import Image
from torch import nn

import sdrun
from sdrun.data.labelled import Labelled, Published
from sdrun.settings import Item

X = np.random.default_rng(0).integers(0, 255, (60, 8, 8)).astype(np.uint8)
Y = np.arange(60) % 3


class Pairs:
    classes = ("red", "green", "blue")

    def __init__(self, *pairs):
        self.items, self.labels = pairs

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, number):
        return self.items[number], self.labels[number]

"""


def read(folder, body, task="images"):
    """What ``dataset=own`` is where its function has this body."""
    loading.load(lab(folder, f"{HEAD}\n@sdrun.dataset('own', task={task!r})\ndef load():\n    {body}\n"))
    return tasks.load(settings("dataset=own").dataset)


ITEMS = {
    "arrays": "list(X)",
    "pictures": "[Image.fromarray(x) for x in X]",
    "colours last": "[np.stack([x] * 3, 2) for x in X]",
    "tensors": "list(torch.tensor(X)[:, None] / 255)",
}


@pytest.mark.parametrize("kind", ITEMS)
def test_images_come_in_any_form(tmp_path, kind):
    published = read(tmp_path, f"a = Pairs({ITEMS[kind]}, torch.tensor(Y)); return a, a")
    x = np.random.default_rng(0).integers(0, 255, (60, 8, 8)).astype(np.uint8)
    channels = 3 if kind == "colours last" else 1
    assert published.item == images(channels, 8)
    np.testing.assert_array_equal(published.train.fields["image"], x[:, None].repeat(channels, 1))
    assert published.train.labels.tolist() == [0, 1, 2] * 20
    assert published.classes == ["red", "green", "blue"]
    assert published.measured["mean"] == pytest.approx([x.mean() / 255] * channels, abs=1e-3)


def test_names_that_are_not_those_of_the_classes_are_left(tmp_path):
    published = read(tmp_path, "a = Pairs(list(X), [5, 10] * 30); return a, a")
    assert published.classes == ["5", "10"]


def test_texts_train(tmp_path):
    read(tmp_path, "a = Pairs(['ein Wort', 'und ein anderes'] * 30, [0, 1] * 30); return a, a", task="text")
    run.start(settings("dataset=own", "method=supervised", *FEW), tmp_path / "run", [])
    assert summary(tmp_path / "run")["model"] == "bag"


def test_a_long_text_makes_no_room_in_the_others(tmp_path):
    tracemalloc.start()
    read(tmp_path, "a = Pairs(['x' * 10**6] + ['ein', 'Wort'] * 30, [0] + [0, 1] * 30); return a, a", task="text")
    assert tracemalloc.get_traced_memory()[1] < 30e6
    tracemalloc.stop()


def test_vectors_train(tmp_path):
    body = "a = Pairs(X[:, 0] / 255.0, list(Y)); return a, a"
    published = read(tmp_path, body, task="vectors")
    assert published.item.shape == (8,)
    run.start(settings("dataset=own", "method=supervised", *FEW), tmp_path / "run", [])
    assert summary(tmp_path / "run")["model"] == "mlp"


def test_a_published_is_taken_as_it_is_and_measured(tmp_path):
    body = "a = Labelled({'image': X[:, None]}, Y); return Published(a, a, ['a', 'b', 'c'], Item('images', (1, 8, 8)))"
    published = read(tmp_path, body)
    assert (published.classes, len(published.measured["std"])) == (["a", "b", "c"], 1)
    run.start(settings("dataset=own", "model.widths=[4]", "method=supervised", *FEW), tmp_path / "run", [])


def test_a_root_is_given_without_its_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.save(tmp_path / "x.npy", np.zeros((4, 8, 8), np.uint8))
    body = "a = Pairs(np.load(f'{root}/x.npy'), [0, 1, 0, 1]); return a, a"
    declared = "@sdrun.dataset('own')\ndef load(root: str | None = None)"
    loading.load(lab(tmp_path, f"{HEAD}\n{declared}:\n    {body}\n"))
    assert len(tasks.load(settings("dataset=own", "dataset.root='~'").dataset).train) == 4
    with pytest.raises(InputError, match=r"^dataset.root: .*No such file .*'elsewhere/x.npy'$"):
        tasks.load(settings("dataset=own", "dataset.root=elsewhere").dataset)


BROKEN = {
    "return list(zip(X, Y))": "the plugin my_lab gives list; give two datasets, for training and for testing, or a "
    "Published",
    "return Pairs(X, Y)": "the plugin my_lab gives Pairs; give two datasets, for training and for testing, or a "
    "Published",
    "return Pairs([], []), Pairs(X, Y)": ", train: holds no items",
    "return Pairs(X, Y), Pairs([], [])": ", test: holds no items",
    "return X, X": ", train[0]: is no pair of an item and its class",
    "return Pairs(X, Y), Pairs([X[0], X[0, 1:]], [0, 1])": ", test: holds items of (7, 8) and (8, 8); make them alike",
    "return Pairs(X, Y), Pairs(X[:, 1:, 1:], Y)": ", test: holds items of (1, 7, 7), and training of (1, 8, 8); make "
    "them alike",
    "return Pairs(X, Y), Pairs(X, Y + 1)": ", test, classes[2]: no item for training has the label '3', only '0', '1', "
    "'2'; correct it, or remove such items",
    "return Pairs(X, Y * 0), Pairs(X, Y * 0)": ", train, classes: all items have the label '0'; a classifier needs two",
    "return Pairs({}, Y), Pairs(X, Y)": "the plugin my_lab raised KeyError: 0",
    "return (x for x in X), X": "the plugin my_lab raised TypeError: object of type 'generator' has no len()",
    "return Pairs(X[:, 1:], Y), Pairs(X, Y)": ", train, items: holds images of 7x8 pixels, but only square ones can be "
    "used; crop or pad them",
    "return Pairs(X.tolist(), Y), Pairs(X, Y)": ", train, items: holds int64; write bytes, 0 to 255, or real numbers "
    "from 0 to 1",
}


@pytest.mark.parametrize("body", BROKEN)
def test_a_dataset_that_cannot_be_used(tmp_path, body):
    with pytest.raises(InputError) as told:
        read(tmp_path, body)
    reason = BROKEN[body]
    assert str(told.value) == f"dataset=own{reason if reason.startswith(',') else f': {reason}'}"


@pytest.mark.parametrize(("items", "number"), [("['a', 1] * 30", 1), ("list(X)", 0)])
def test_a_text_that_is_none_is_named(tmp_path, items, number):
    with pytest.raises(InputError, match=rf"^dataset=own, train\[{number}\]: is no text; give strings$"):
        read(tmp_path, f"a = Pairs({items}, [0, 1] * 30); return a, a", task="text")


def test_a_model_may_look_at_its_numbers(tmp_path):
    """As none of sdrun's own does, whose shapes alone say what they compute."""
    text = "class Sure(nn.Flatten):\n    def forward(self, x):\n        assert x.sum() == x.sum().item()\n"
    text += "        return super().forward(x)\n\n\n@sdrun.model('sure')\ndef sure(item): return Sure()\n"
    loading.load(lab(tmp_path, HEAD + text))
    run.start(settings("model=sure", "method=supervised", *FEW), tmp_path / "run", [])


def test_a_backbone_with_taps_is_taken_apart(tmp_path):
    text = "from sdrun.models.mlp.backbone import MLP\n\n\n@sdrun.model('deep', takes='vectors', taps=['layer_1'])\n"
    loading.load(lab(tmp_path, HEAD + text + "def deep(item, width: int = 4): return MLP(item.shape[0], width, 1)\n"))
    asked = settings("model=deep", "dataset=vectors", "dataset.root=x.npz", "method=supervised").model
    assert asked.taps == ["layer_1"]
    backbone = models.build(asked, Item("vectors", (7,)))
    assert list(backbone(torch.randn(2, 7)).taps) == ["layer_1"]
