"""What is wrong with a plugin is said in one line, before anything is made."""

import pytest
from labs import FEW, LAB, lab, rooms, unplugged

from sdrun.plugins import registry

HEAD = "from dataclasses import dataclass\nimport sdrun\nfrom sdrun.settings import MethodSettings\n"
SETTINGS = "@dataclass\nclass S(MethodSettings):\n    a: int = 1\n    roles = ('weak',)\n"
METHOD = "@sdrun.method('one')\ndef run(settings: S, experiment): ...\n"
MODEL = "@sdrun.model('one')\ndef make(item, width: int = 1): ...\n"
DATASET = "@sdrun.dataset('one')\ndef load(size: int = 1): ...\n"

BROKEN = {
    "raise SystemExit(3)": "--plugin: {} cannot be imported (SystemExit: 3)",
    "def f(:": "--plugin: {} cannot be imported (SyntaxError: invalid syntax (my_lab.py, line 1))",
    "import no_such_module": "--plugin: {} cannot be imported (ModuleNotFoundError: No module named 'no_such_module')",
    "raise ValueError('one\\ntwo')": "--plugin: {} cannot be imported (ValueError: one)",
    "x = 1": "--plugin: {} registers nothing; see sdrun.method, sdrun.model, sdrun.dataset",
    METHOD.replace("settings: S", "settings"): "my_lab: one: its first argument needs a subclass of MethodSettings as "
    "its type",
    METHOD.replace(": S", ": int"): "my_lab: one: its first argument needs a subclass of MethodSettings as its type",
    SETTINGS.replace(" = 1", "") + METHOD: "my_lab: one: its setting a needs a default, such as a = 1",
    SETTINGS.replace("@dataclass\n", "") + METHOD: "my_lab: one: S needs @dataclass above it",
    SETTINGS.replace("    roles = ('weak',)\n", "") + METHOD: "my_lab: one: S lacks roles",
    SETTINGS.replace("= 1", "= __import__('dataclasses').field(default=1, metadata={'root': True})")
    + METHOD: "my_lab: one: its setting a cannot be of the root; leave its metadata out",
    MODEL.replace(": int", ""): "my_lab: one: its argument width needs a type, such as width: int = 1",
    MODEL.replace(" = 1", ""): "my_lab: one: its setting width needs a default, such as width = 1",
    MODEL.replace("width: int = 1", "**width: int"): "my_lab: one: its argument width needs a type, such as width: int "
    "= 1",
    MODEL.replace("width", "name"): "my_lab: one: its argument name has the name of another setting; choose another",
    MODEL.replace("'one'", "'one', takes='texts'"): "my_lab: one: its items are texts, of which a model says the form; "
    "write it as a folder of models/",
    MODEL.replace(": int", ": __import__('typing').Literal[1]"): "my_lab: one: width: Unexpected type annotation: "
    "Literal[1]; settings are numbers, texts, true or false, members of an Enum, or lists of these",
    MODEL.replace("1", "print"): "my_lab: one: width: Value 'builtin_function_or_method' is not a supported primitive "
    "type; settings are numbers, texts, true or false, members of an Enum, or lists of these",
    MODEL.replace("'one'", "'One'"): "my_lab: One: a name is of small letters, digits and _, and begins with a letter",
    MODEL.replace("'one'", "'a-b'"): "my_lab: a-b: a name is of small letters, digits and _, and begins with a letter",
    MODEL.replace("'one'", "'cnn'"): "my_lab: cnn: model=cnn is registered already, by sdrun itself; choose another "
    "name",
    MODEL.replace("'one'", "'resnet'"): "my_lab: resnet: model=resnet is registered already, by sdrun itself; choose "
    "another name",
    MODEL + MODEL: "my_lab: one: model=one is registered already, by my_lab; choose another name",
    SETTINGS + METHOD.replace("'one'", "'dino'"): "my_lab: dino: method=dino is registered already, by sdrun itself; "
    "choose another name",
    DATASET.replace("'one'", "'digits'"): "my_lab: digits: dataset=digits is registered already, by sdrun itself; "
    "choose another name",
    DATASET.replace("'one'", "'one', task='sounds'"): "my_lab: one: its task is 'sounds', but must be one of images, "
    "text, vectors",
    DATASET.replace("size", "seed"): "my_lab: one: its argument seed has the name of another setting; choose another",
    DATASET.replace("size", "views"): "my_lab: one: its argument views has the name of another setting; choose another",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_plugin_that_cannot_be_used(called, tmp_path, text):
    file = lab(tmp_path, text if "sdrun" not in text else HEAD + SETTINGS * ("S(" not in text) + text)
    told = BROKEN[text].format(file)
    with unplugged():
        assert called("--plugin", file, "--version") == (2, f"sdrun: {told}\n")
    assert called("check", file) == (2, f"sdrun: {told}\n")


def test_names_that_are_no_plugin(called, tmp_path):
    (tmp_path / "empty").mkdir()
    lab(tmp_path, name="json.py")
    lab(tmp_path, name="statistics.py")
    for name, told in {
        "missing.py": f"{tmp_path}/missing.py is not there; name a file, a folder or a module",
        "no_such_module": "no_such_module cannot be imported (ModuleNotFoundError: No module named 'no_such_module')",
        "empty": f"{tmp_path}/empty has no __init__.py; name a module, or a package",
        "json.py": f"{tmp_path}/json.py has the name of another module, json; rename it",
        "statistics.py": f"{tmp_path}/statistics.py has the name of another module, statistics; rename it",
        "sys": "sys has no __init__.py; name a module, or a package",
        "": "needs a file, a folder or a module: --plugin my_lab.py",
    }.items():
        assert called(f"--plugin={name}", "--version") == (2, f"sdrun: --plugin: {told}\n")
    assert called("--plugin")[0] == 2
    assert not registry.loaded


def test_two_plugins_of_one_name(called, tmp_path):
    one, other = lab(tmp_path / "a"), lab(tmp_path / "b")
    code, text = called("--plugin", one, "--plugin", other, "--version")
    assert (code, text) == (2, f"sdrun: --plugin: {other} has the name of {one}; rename one\n")


def test_the_same_plugin_twice_is_one(called, tmp_path):
    (tmp_path / "link.d").symlink_to(tmp_path)
    code, text = called("--plugin", lab(tmp_path), "--plugin", str(tmp_path / "link.d/my_lab.py"), "--version")
    assert code == 0, text


@pytest.mark.parametrize("group", ["method=twice", "model=flat", "dataset=stripes"])
def test_two_plugins_with_one_choice(called, tmp_path, group):
    name = group.partition("=")[2]
    own = LAB.replace("twice", "a").replace("flat", "b").replace("stripes", "c")
    others = {"method=twice": '"a"', "model=flat": '"b"', "dataset=stripes": '"c"'}
    text = own.replace(others[group], f'"{name}"')
    code, said = called("--plugin", lab(tmp_path), "--plugin", lab(tmp_path, text, "other.py"), "--version")
    assert code == 2
    assert said == f"sdrun: other: {name}: {group} is registered already, by my_lab; choose another name\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("methods/dino/__init__.py", "methods/dino"),
        ("models/cnn/__init__.py", "models/cnn"),
        ("tasks/images/__init__.py", "tasks/images"),
        ("methods/twice/__init__.py", "methods/twice"),
        ("conf/model/cnn.yaml", "conf/model/cnn.yaml"),
        ("conf/config.yaml", "conf/config.yaml"),
        ("conf/model/flat.yaml", "conf/model/flat.yaml"),
    ],
)
def test_a_room_or_a_choice_that_is_there_already(called, tmp_path, name, told):
    folder = rooms(tmp_path / "room")
    lab(tmp_path / "room", "", name)
    code, text = called("--plugin", lab(tmp_path), "--plugin", folder, "--version")
    assert (code, text) == (2, f"sdrun: room: {told}: is there already; choose another name\n")


BROKEN_MODELS = {
    "item": "the plugin my_lab gives Item, no nn.Module",
    "{}[item]": "the plugin my_lab raised KeyError: Item(kind='images', shape=(1, 8, 8), num_values=None)",
    "nn.Identity()": "gives [2, 1, 8, 8] for two items; give features [B, D], such as after a mean over positions",
    "nn.LSTM(8, width)": "images of 1x8x8 cannot go through it (ValueError: LSTM: Expected ",
    "mlp.MLP(64, 4, 1)": "has the taps ['layer_1'], and was registered with []; say so by taps=...",
}


@pytest.mark.parametrize("made", BROKEN_MODELS)
def test_a_model_that_gives_no_features_makes_no_folder(called, tmp_path, made):
    text = "import sdrun\nfrom torch import nn\nfrom sdrun.models.mlp import backbone as mlp\n"
    file = lab(tmp_path, f"{text}\n\n{MODEL.replace('...', f'return {made}')}")
    code, said = called("--plugin", file, "model=one", *FEW)
    assert (code, said.startswith(f"sdrun: model=one: {BROKEN_MODELS[made]}"), said.count("\n")) == (2, True, 1), said
    assert not (tmp_path / "outputs").exists()


def test_the_environment_names_no_file_of_whatever_folder_this_is(called, tmp_path, monkeypatch):
    lab(tmp_path)
    monkeypatch.setenv("SDRUN_PLUGINS", "lab.py")
    code, text = called("--version")
    assert (code, len(text.splitlines())) == (2, 1)
    assert "SDRUN_PLUGINS: lab.py would be another file in each folder; write its path from the root" in text
