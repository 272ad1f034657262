"""Plugins: by which ways they are named, and what every verb makes of their runs."""

import json
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest
from labs import FEW, LAB, OWN, lab, rooms, unplugged

import sdrun
from helpers import manifest, settings, summary
from sdrun import run
from sdrun.errors import InputError
from sdrun.plugins import loading, registry


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of a plugin that is not loaded any more, and the plugin."""
    folder = tmp_path_factory.mktemp("plugin")
    with unplugged():
        loading.load(lab(folder))
        run.start(settings(*OWN), folder / "run", [])
    return folder / "run", str(folder / "my_lab.py")


@pytest.fixture
def copy(finished, tmp_path):
    return Path(shutil.copytree(finished[0], tmp_path / "run"))


NAMED = {
    "before": lambda file: ("--plugin", file, "--cfg", "job", "model=flat"),
    "between": lambda file: ("--cfg", "job", f"--plugin={file}", "model=flat"),
    "after": lambda file: ("--cfg", "job", "model=flat", "--plugin", file),
}


@pytest.mark.parametrize("place", NAMED)
def test_a_file_is_named_anywhere(called, tmp_path, place):
    lab(tmp_path)
    code, text = called(*NAMED[place]("my_lab.py"))
    assert code == 0, text
    assert "architecture: flat\n  width: 8" in text
    assert not (tmp_path / "outputs").exists()


def test_the_environment_names_several(called, tmp_path, monkeypatch):
    monkeypatch.setenv("SDRUN_PLUGINS", f"{lab(tmp_path)}:{rooms(tmp_path / 'room')}")
    code, text = called("--cfg", "job", "method=once", "model=flat")
    assert code == 0, text
    assert "alpha: 0.25" in text
    assert "architecture: flat" in text


def test_a_module_is_named(called, tmp_path, monkeypatch):
    lab(tmp_path / "site", name="labs_of_mine/inner.py")
    lab(tmp_path / "site", "from labs_of_mine import inner\n", "labs_of_mine/__init__.py")
    monkeypatch.syspath_prepend(tmp_path / "site")
    for name in ("labs_of_mine", "labs_of_mine.inner"):
        with unplugged():
            code, text = called("--plugin", name, "--cfg", "job", "model=flat")
            assert code == 0, text


def test_what_is_installed_is_there_and_no_folder_of_its_name(called, tmp_path, monkeypatch):
    lab(tmp_path / "site", name="my_lab.py")
    lab(tmp_path / "site/my_lab-1.dist-info", "[sdrun.plugins]\nmine = my_lab\n", "entry_points.txt")
    lab(tmp_path / "site/my_lab-1.dist-info", "Metadata-Version: 2.1\nName: my-lab\nVersion: 1\n", "METADATA")
    lab(tmp_path / "my_lab", "raise SystemExit\n", "__init__.py")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert metadata.entry_points(group=loading.ENTRY_POINTS)
    code, text = called("--cfg", "job", "model=flat")
    assert code == 0, text
    assert registry.loaded["my_lab"].place == (tmp_path / "site/my_lab.py").resolve()
    assert called("--plugin", str(tmp_path / "site/my_lab.py"), "--version") == (0, f"sdrun {sdrun.__version__}\n")


def test_a_folder_with_rooms_trains(called, tmp_path):
    name = rooms(tmp_path / "room")
    code, text = called("--plugin", name, "method=once", "model.widths=[4]", *FEW, "hydra.run.dir=run")
    assert code == 0, text
    assert [stage["name"] for stage in summary(tmp_path / "run")["stages"]] == ["first", "second"]
    assert manifest(tmp_path / "run")["plugins"].keys() == {"room"}
    code, text = called("doctor", "run")
    assert code == 0, text


def test_help_and_choices_list_what_a_plugin_adds(called, tmp_path):
    named = ("--plugin", lab(tmp_path), "--plugin", rooms(tmp_path / "room"))
    for group, names in {"method": ("once", "twice", "supervised"), "model": ["flat"], "dataset": ["stripes"]}.items():
        listed = {line.split()[0] for line in called(*named, "help", group)[1].splitlines() if line}
        assert {*names} <= listed
    listed = called(*named, "methods")[1]
    assert "\nOther methods\n  once" in listed
    assert "\n  twice" in listed
    assert "  method.alpha  0.25" in called(*named, "help", "once")[1]
    page = called(*named, "help", "twice")[1]
    assert "  method.alpha  0.5\nalpha: weight of the teacher." in page
    assert "  sdrun -m method=twice,supervised seed=0,1,2\n" in page
    code, text = called(*named, "method=twise")
    assert (code, text.startswith("sdrun: method=twise: no such choice; did you mean twice? There are")) == (2, True)


def test_help_names_the_values_that_no_comment_names(called, tmp_path):
    kind = "from enum import Enum\n\nclass Kind(Enum):\n    soft = 1\n    hard = 2\n\n@dataclass\nclass Twice"
    text = LAB.replace("@dataclass\nclass Twice", kind).replace("= 0.5\n", "= 0.5\n    kind: Kind = Kind.hard\n")
    page = called("--plugin", lab(tmp_path, text), "help", "twice")[1]
    assert "  method.kind   hard  one of soft, hard\n" in page


def test_settings_are_typed_and_known(called, tmp_path):
    named = ("--plugin", lab(tmp_path))
    for word, told in {
        "model.width=x": "model.width: Value 'x' of type 'str' could not be converted to Integer",
        "model.widht=8": "model.widht: unknown key; did you mean model.width?",
        "method.alpha=null": "method.alpha: ",
        "dataset.size=[1]": "dataset.size: ",
        r"dataset.root='\${seed}'": "dataset.root: holds ${ as a text",
        "dataset.root=elsewhere": "dataset.root: has no effect with dataset=stripes; leave it out",
        "dataset.download=true": "dataset.download: has no effect with dataset=stripes; leave it out",
    }.items():
        code, text = called(*named, *OWN, word)
        assert (code, text.startswith(f"sdrun: {told}"), text.count("\n")) == (2, True, 1), text
    assert [path.name for path in tmp_path.glob("[!_]*")] == ["my_lab.py"]


def test_a_view_of_a_size_that_a_network_cannot_take_is_named_before_the_run(called, tmp_path):
    code, text = called("--plugin", lab(tmp_path), *OWN, "method=dino", "dataset.views.local.size=4")
    told = "dataset.views.local.size: flat, made for images of 1x8x8, takes no images of 1x4x4"
    assert (code, text.startswith(f"sdrun: {told}"), text.count("\n")) == (2, True, 1), text
    assert [path.name for path in tmp_path.glob("[!_]*")] == ["my_lab.py"]


def test_a_setting_of_a_plugin_is_no_setting_of_others(called, tmp_path):
    code, text = called("--plugin", lab(tmp_path), "model=cnn", "+dataset.size=9")
    assert code == 2
    assert (
        "dataset.size: has no effect with dataset=digits; it is a setting of dataset=image_folder and dataset=stripes"
        in text
    )


def test_a_sweep_finds_it(called, tmp_path):
    code, text = called("--plugin", lab(tmp_path), "-m", *OWN, "model.width=4,6", "hydra.sweep.dir=sweep")
    assert code == 0, text
    names = ("0000-twice-width=4", "0001-twice-width=6")
    configs = [(tmp_path / f"sweep/{name}/config.yaml").read_text() for name in names]
    assert ["width: 4" in configs[0], "width: 6" in configs[1]] == [True, True]


def test_a_finished_run_is_listed_shown_and_compared_without_it(called, copy):
    code, text = called("list", ".")
    assert (code, "twice" in text, "stripes" in text) == (0, True, True)
    for verb in (("show", "run"), ("doctor", "run"), ("compare", "run", "run")):
        code, text = called(*verb)
        assert "plugin" not in text
        assert "Traceback" not in text
    assert called("show", "run")[0] == 0
    assert not registry.loaded


@pytest.mark.parametrize("verb", ["resume", "evaluate", "predict"])
def test_what_needs_it_says_so_and_imports_nothing(called, finished, copy, tmp_path, monkeypatch, verb):
    shutil.copy(finished[1], tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    code, text = called(verb, "run", *["run"] * (verb == "predict"))
    told = "run: needs the plugin my_lab, which no run folder brings along; name its file, folder or module by --plugin"
    assert (code, text) == (2, f"sdrun: {told}\n")
    assert "my_lab" not in sys.modules


def test_with_it_every_verb_works(called, finished, copy, tmp_path):
    from PIL import Image

    Image.new("L", (8, 8), 99).save(tmp_path / "item.png")
    for verb in (
        ("--plugin", finished[1], "resume", "run"),
        ("resume", "--plugin", finished[1], "run"),
        ("evaluate", "run", f"--plugin={finished[1]}"),
        ("predict", "run", "item.png", "--plugin", finished[1]),
    ):
        code, text = called(*verb)
        assert code == 0, text
    code, text = called("--plugin", finished[1], "show", "run")
    changed = text[text.index("Settings that differ") : text.index("Metrics of the final student")]
    assert "optim.max_steps" in changed
    assert "model.width" not in changed


def test_a_script_loads_a_run_with_it(finished):
    with pytest.raises(InputError, match="needs the plugin my_lab"):
        sdrun.load(finished[0])
    assert sdrun.load(finished[0], plugins=[finished[1]]).classes == ["0", "1"]


def test_outside_of_sdrun_a_decorator_leaves_a_function_alone(tmp_path, monkeypatch):
    lab(tmp_path, name="plain_lab.py")
    monkeypatch.syspath_prepend(tmp_path)
    import plain_lab

    assert len(plain_lab.stripes()[0]) == 100
    assert not registry.datasets


def test_a_changed_plugin_judges_a_run_and_does_not_go_on_with_it(called, finished, copy, tmp_path):
    with unplugged():
        assert manifest(copy)["plugins"] == {"my_lab": loading.load(finished[1]).sha256}
    other = lab(tmp_path, LAB + "\n# another\n")
    code, text = called("evaluate", "run", "--plugin", other)
    assert code == 0, text
    code, text = called("resume", "run", "--plugin", other)
    told = "run cannot go on: the plugin my_lab changed since it began; start a new run"
    assert (code, text) == (2, f"sdrun: {told}\n")


def test_a_run_that_uses_nothing_of_it_does_not_need_it(called, tmp_path):
    name = lab(tmp_path)
    code, text = called("--plugin", name, "method=supervised", "model.widths=[4]", *FEW, "hydra.run.dir=run")
    assert code == 0, text
    assert json.loads((tmp_path / "run/manifest.json").read_text())["plugins"] == {}


def test_its_model_teaches_and_stands_in_a_chain(called, tmp_path):
    asked = ("--plugin", lab(tmp_path), "method=compress", "model.widths=[2]", *FEW, "dataset.train_size=60")
    for number, teacher in enumerate(("teacher_model=flat", "method.chain=[flat]")):
        code, text = called(*asked, teacher, f"hydra.run.dir={tmp_path / str(number)}")
        assert code == 0, text
        stages = {stage["name"]: stage.get("other") for stage in summary(tmp_path / str(number))["stages"]}
        assert stages["teacher"] == "flat"
        assert manifest(tmp_path / str(number))["plugins"].keys() == {"my_lab"}
