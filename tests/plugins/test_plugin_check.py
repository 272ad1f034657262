"""``sdrun check`` names each way not to keep the contract; ``test_own_lab.py`` has what keeps it."""

import re
from pathlib import Path

import pytest
from labs import LAB, lab, rooms

from sdrun.contract import checks
from sdrun.contract.subject import Subject, choices
from sdrun.errors import InputError
from sdrun.plugins import loading

HEAD = """
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import sdrun
from sdrun.data.labelled import Labelled, Published
from sdrun.models.mlp.backbone import MLP
from sdrun.objectives.taught import Taught
from sdrun.settings import Item, MethodSettings

random = np.random.default_rng()


def images(labels):
    return Labelled({"image": random.integers(0, 255, (90, 1, 8, 8)).astype(np.uint8)}, np.resize(labels, 90))


class Of(nn.Module):
    def __init__(self, way):
        super().__init__()
        self.layer, self.way = nn.Linear(64, 4), way

    def forward(self, x):
        return self.way(self.layer(x.flatten(1)))


class Counting(Taught):
    count = 0

    def forward(self, batch):
        self.count += 1
        output = super().forward(batch)
        output.terms = {name: term * self.count for name, term in output.terms.items()}
        return output


@dataclass
class S(MethodSettings):
    roles = ("weak",)

"""


def subject(folder, group, text):
    """A choice ``one`` of a plugin that holds this text."""
    plugin = loading.load(lab(folder, HEAD + text))
    return Subject(plugin, group, "one", folder)


MODELS = {
    "return Of(lambda z: z + torch.rand(()))": (checks.answers_alike, "one: answers otherwise each time, in eval()"),
    "return Of(lambda z: z - z.mean(0))": (
        checks.answers_alike,
        "one: answers an item by what is beside it, in eval()",
    ),
    "m = Of(torch.tanh); m.idle = nn.Linear(2, 2, bias=False); return m": (
        checks.learns_all,
        "backbone.model.idle.weight: gets no gradient",
    ),
    "m = Of(torch.tanh); m.layer.bias.data[:] = float(np.random.rand()); return m": (
        checks.is_of_its_seed,
        "model.layer.bias: differs between two networks of one seed",
    ),
    "m = MLP(8, 4, 1); m.num_features = 5; return m": (
        checks.gives_features,
        "its features: are [4, 4] for four items, and should be [4, 5]",
    ),
    "m = MLP(8, 4, 1); m.tap_features = {'layer_1': 6}; return m": (
        checks.gives_features,
        "layer_1: is [4, 4], and tap_features say 6",
    ),
}


@pytest.mark.parametrize("body", MODELS)
def test_models(tmp_path, body):
    check, told = MODELS[body]
    further = ", takes='vectors', taps=['layer_1']" if "MLP" in body else ""
    model = subject(tmp_path, "model", f"@sdrun.model('one'{further})\ndef make(item):\n    {body}\n")
    with pytest.raises(InputError, match=f"^{re.escape(told)}"):
        check(model)


DATASETS = {
    "[0, 1], ['a', 'b']": (checks.is_read_alike, "train, test: differs when it is read again"),
    "[0, 1], ['a', 'a']": (checks.names_classes, "its classes: have one name twice: a, a"),
    "[0, 2], ['a', 'b']": (checks.names_classes, "train: has labels beyond its 2 classes"),
    "[0, 1], ['a', 'b', 'c']": (checks.names_classes, "train: has no item of c"),
}


@pytest.mark.parametrize("made", DATASETS)
def test_datasets(tmp_path, made):
    check, told = DATASETS[made]
    labels, names = made.split("], ")
    text = f"@sdrun.dataset('one')\ndef load():\n    a = images({labels}])\n"
    data = subject(tmp_path, "dataset", f"{text}    return Published(a, a, {names}, Item('images', (1, 8, 8)))\n")
    with pytest.raises(InputError, match=f"^{told}"):
        check(data)


SELF_TAUGHT = "Taught(student, e.answers, teacher, alpha=0.5)"
METHODS = {
    "teacher = lambda batch: student(batch.views['weak'][0]); teacher.lineage = []": (
        SELF_TAUGHT,
        checks.teaches_no_teacher,
        "one: a gradient reaches the targets",
    ),
    "other = e.student(1); teacher = lambda b: other(b.views['weak'][0]).detach(); teacher.lineage = []": (
        SELF_TAUGHT,
        checks.teaches_no_teacher,
        "one: a gradient reaches another network than the student; another network than the student is in training",
    ),
    "pass": ("Counting(student, e.answers)", checks.goes_on, "only: has other weights after a stop"),
}


@pytest.mark.parametrize("teacher", METHODS)
def test_methods(tmp_path, teacher):
    objective, check, told = METHODS[teacher]
    body = f"student = e.student(0)\n    {teacher}\n    return e.fit('only', {objective}, e.stream(0))"
    method = subject(tmp_path, "method", f"@sdrun.method('one')\ndef run(settings: S, e):\n    {body}\n")
    with pytest.raises(InputError, match=f"^{told}"):
        check(method)


def test_a_method_that_trains_other_stages_than_it_names(tmp_path):
    body = "return e.fit('only', Taught(e.student(0), e.answers), e.stream(0))"
    text = f"@sdrun.method('one')\ndef run(settings: S, e):\n    {body}\n"
    with pytest.raises(InputError, match="^its stages: are only, and its settings say one$"):
        checks.names_its_stages(subject(tmp_path, "method", text))


def test_what_fails_is_told_in_a_table_and_ends_with_1(called, tmp_path):
    text = HEAD + "@sdrun.method('one')\ndef run(settings: S, e):\n    raise LookupError('no\\nsuch luck')\n"
    code, told = called("check", lab(tmp_path, text))
    lines = told.splitlines()
    assert code == 1
    assert "sdrun: 2 checks fail" in lines
    assert re.search(r"runs, and its folder is whole +LookupError: no *$", told, re.MULTILINE)
    assert "goes on from a stop" not in told
    assert max(map(len, lines)) <= 80


def test_a_method_in_a_room_without_its_choice_is_told(tmp_path):
    folder = tmp_path / "room"
    plugin = loading.load(rooms(folder))
    (folder / "conf/method/once.yaml").rename(folder / "conf/method/other.yaml")
    assert choices(plugin, "method") == ["once", "other"]
    told = [next(checks.verdicts(Subject(plugin, "method", name, tmp_path))).fault for name in ("once", "other")]
    assert told[0].startswith("method=once: no such choice; did you mean online? There are: ")
    assert told[1] == "method.name: is 'once'; say other"


def test_what_contributing_shows_keeps_it(tmp_path):
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    (shown,) = re.findall(r"^`my_lab.py`:\n\n```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    model = Subject(loading.load(lab(tmp_path, shown)), "model", "flat", tmp_path)
    assert [verdict.fault for verdict in checks.verdicts(model)] == [""] * 8


def test_without_a_plugin_there_is_nothing_to_check(called, tmp_path):
    assert called("check") == (2, "sdrun: sdrun check: needs a plugin: sdrun check my_lab.py\n")
    code, told = called("check", lab(tmp_path, LAB.replace("import sdrun", "import sdrum")))
    assert (code, told.count("\n"), "No module named 'sdrum'" in told) == (2, 1, True)
