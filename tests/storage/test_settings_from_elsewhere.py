"""The settings of a run that came from elsewhere."""

import os

import pytest
from folders import made_run

from helpers import rewrite_manifest
from sdrun import recorded, reevaluation, run
from sdrun.errors import InputError
from sdrun.storage.folder import RunFolder
from sdrun.storage.manifest import FORMAT

LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
BROKEN = {
    "alias": (LAUGHS, "it has anchors"),
    "tag": ("a: !!python/name:os.system\n", "could not determine a constructor for the tag"),
    "quiet tag": ("a: 1\nb: !!set {x}\n", "could not determine a constructor for the tag"),
    "list": ("- a\n", "holds no settings"),
    "text": ("abc", "holds no settings"),
    "empty": ("", "holds no settings"),
    "two documents": ("a: 1\n---\nb: 2\n", "cannot be read (expected a single document"),
    "flow": ("a: [1\n", "cannot be read (while parsing a flow"),
    "deep": ("[" * 50 + "]" * 50, "it is nested too deeply"),
    "huge": ("a" * 1_000_001, "it is larger than 1 MB"),
    "latin": (b"a: \xe4\n", "cannot be read ('utf-8' codec can't decode"),
    "zeros": (bytes(1000), "cannot be read"),
    "interpolation": ("a: {b: [1, 'x${oc.env:HOME}']}\n", "a.b.1 holds ${...}"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_more_than_settings_is_refused_in_one_line(name, tmp_path):
    content, message = BROKEN[name]
    path = made_run(tmp_path / "run", 0)
    (path / "config.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        recorded.load_config(RunFolder.open(path))
    assert str(error.value).startswith(str(path))
    assert "config.yaml" in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_are_what_they_were(tmp_path):
    path = made_run(tmp_path / "run", 0)
    (path / "config.yaml").write_text("a: {b: [1, 2.5, null, true]}\nc: '$x {y}'\n")
    assert recorded.load_config(RunFolder.open(path)) == {"a": {"b": [1, 2.5, None, True]}, "c": "$x {y}"}


def test_a_run_from_elsewhere_tells_nothing_of_this_machine(tmp_path):
    path = made_run(tmp_path / "run", 0)
    with (path / "config.yaml").open("a") as file:
        file.write("init_from: ${oc.env:HOME}\n")
    rewrite_manifest(path, format=FORMAT)
    for verb in (lambda: run.resume(path), lambda: reevaluation.evaluate(path, None, None, [])):
        with pytest.raises(InputError, match=r"config.yaml: init_from holds \$\{...\}"):
            verb()


@pytest.mark.parametrize("kind", ["folder", "pipe", "nothing"])
def test_what_is_no_file_is_refused(kind, tmp_path):
    path = made_run(tmp_path / "run", 0)
    (path / "config.yaml").unlink()
    if kind != "nothing":
        (os.mkdir if kind == "folder" else os.mkfifo)(path / "config.yaml")
    with pytest.raises(InputError, match=r"config.yaml (cannot be read \(it is no regular file|is not there)"):
        recorded.load_config(RunFolder.open(path))
