"""Runs of earlier formats are read, and refused in one line where they would have to be gone on with."""

from pathlib import Path

import pytest
import yaml
from folders import made_run

import helpers
from sdrun import reevaluation, run
from sdrun.comparison.folders import find
from sdrun.comparison.groups import grouped
from sdrun.errors import InputError
from sdrun.storage import manifest
from sdrun.storage.initial import initial
from sdrun.storage.manifest import FORMAT

KEPT = Path(__file__).resolve().parents[2] / "docs/earlier/born_again/method/seed_0"


@pytest.mark.parametrize("verb", ["resume", "evaluate"])
def test_they_are_not_gone_on_with(verb, called):
    code, out = called(verb, str(KEPT))
    assert code == 2
    assert "is a run of format 1: it can be listed, shown and compared, but not" in out
    assert len(out.splitlines()) == 1


def test_no_run_starts_from_them():
    with pytest.raises(InputError, match="is a run of format 1: .* but not started from; start it anew"):
        initial(helpers.settings(f"init_from={KEPT}"))


@pytest.mark.parametrize(
    ("verb", "places"),
    [("list", ["."]), ("show", ["method/seed_0"]), ("doctor", ["method/seed_0"]), ("compare", ["method", "plain"])],
)
def test_they_are_read(verb, places, called):
    code, out = called(verb, *(str(KEPT.parents[1] / place) for place in places))
    assert code == 0
    assert out


def test_a_run_of_today_says_so(tmp_path):
    assert (
        helpers.manifest(helpers.start(tmp_path / "run", "method=supervised", "optim.max_steps=2"))["format"] == FORMAT
    )


@pytest.mark.parametrize("key", ["control", "label_smoothing"])
def test_one_from_before_there_was_a_setting_goes_on_and_is_evaluated(tmp_path, monkeypatch, key):
    asked = ("method=born_again", "generations=1", "optim.max_steps=2", "checkpoint_seconds=0")
    path = helpers.interrupted(tmp_path / "run", "generation_0", 1, monkeypatch, *asked)
    config = yaml.safe_load((path / "config.yaml").read_text())
    del (config if key in config else config["method"])[key]
    (path / "config.yaml").write_text(yaml.safe_dump(config))
    manifest.reseal(path)
    run.resume(path)
    assert helpers.summary(path)["status"] == "completed"
    reevaluation.evaluate(path, None, None, [])


def test_one_from_before_there_was_a_setting_is_of_the_group_that_has_its_value(tmp_path):
    later = {"control": "none", "method__view": "weak", "method__label_smoothing": 0.0, "method__targets": "soft"}
    for seed, settings in enumerate(({}, {**later, "pictures": False})):
        made_run(tmp_path / str(seed), seed, method="born_again", **settings)
    made_run(tmp_path / "other", 0, method="born_again", **{**later, "control": "hard"})
    groups, _ = grouped(find([str(tmp_path)]).finished)
    assert [list(group.runs) for group in groups] == [[0, 1], [0]]
