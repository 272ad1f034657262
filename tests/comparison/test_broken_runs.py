"""Whatever lies in a folder, the verbs say it in words."""

import json
import os

import pytest
from folders import made_run


def changed(path, name, **entries):
    """Replace top entries of a JSON file of a run; ``...`` takes one away."""
    content = json.loads((path / name).read_text()) | entries
    (path / name).write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))


def added(path, text):
    (path / "config.yaml").write_text((path / "config.yaml").read_text() + text)


def replaced_by_pipe(file):
    file.unlink()
    os.mkfifo(file)


def replaced_by_folder(file):
    file.unlink()
    file.mkdir()


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{last}'] * 9)}]\n" for last, name in zip("abcdefgh", "bcdefghi", strict=True)
)
DEEP = "[" * 500 + "]" * 500
OTHER_KINDS = {
    "manifest.json": {
        "status": 1,
        "seed": True,
        "model": ["cnn"],
        "created": 20260101,
        "versions": ["0.1"],
        "git": "commit",
        "overrides": "seed=0",
        "hardware": [],
        "teachers": [],
        "init": "elsewhere",
        "wall_seconds": "a minute",
    },
    "summary.json": {
        "status": None,
        "error": ["no"],
        "wall_seconds": "a minute",
        "compute": {"steps": "ten"},
        "stages": [{"name": "a", "seconds": "1.0"}],
    },
}

SKIPPED = {
    "broken manifest": lambda run: (run / "manifest.json").write_text('{"seed": 0, '),
    "manifest of bytes": lambda run: (run / "manifest.json").write_bytes(b"\xff\xfe\x00"),
    "manifest without data": lambda run: changed(run, "manifest.json", data=...),
    "seed that is text": lambda run: changed(run, "manifest.json", seed="0"),
    "no summary": lambda run: (run / "summary.json").unlink(),
    "half a summary": lambda run: (run / "summary.json").write_text((run / "summary.json").read_text()[:99]),
    "summary that is a list": lambda run: (run / "summary.json").write_text("[]"),
    "metrics that are a list": lambda run: changed(run, "summary.json", metrics=[]),
    "stages that are null": lambda run: changed(run, "summary.json", stages=None),
    "no settings": lambda run: (run / "config.yaml").unlink(),
    "empty settings": lambda run: (run / "config.yaml").write_text(""),
    "settings that are a list": lambda run: (run / "config.yaml").write_text("- a\n"),
    "a set": lambda run: added(run, "odd: !!set {a, b}\n"),
    "bytes": lambda run: added(run, "odd: !!binary aGk=\n"),
    "an anchor in itself": lambda run: added(run, "odd: &a [*a]\n"),
    "anchors that grow": lambda run: added(run, LAUGHS),
    "settings merged": lambda run: added(run, "odd: {<<: {a: 1}}\n"),
    "a key that is a number": lambda run: added(run, "1: 2\n"),
    "a key that is null": lambda run: added(run, "odd: {null: x}\n"),
    "deep settings": lambda run: added(run, f"odd: {DEEP}\n"),
    "deep metrics": lambda run: changed(run, "summary.json", metrics=json.loads(DEEP[:400] + DEEP[-400:])),
    "deeper metrics": lambda run: (run / "summary.json").write_text("[" * 100_000),
    "large settings": lambda run: added(run, "#" * 2_000_000),
    "large manifest": lambda run: changed(run, "manifest.json", more="#" * 20_000_000),
    "half a letter": lambda run: changed(run, "manifest.json", model="\ud800"),
    "half a letter as a key": lambda run: changed(run, "summary.json", metrics={"test/\udfff": 1.0}),
    "half a letter in bytes": lambda run: (run / "manifest.json").write_bytes(b'{"a": "\xed\xa0\x80"}'),
    "a stage elsewhere": lambda run: changed(run, "summary.json", stages=[{"name": "../../0/predictions/a"}]),
    "stages of one name": lambda run: changed(run, "summary.json", stages=[{"name": "a"}] * 2),
    **{
        f"{name} that is a {kind}": lambda run, name=name, place=place: place(run / name)
        for name in ("manifest.json", "summary.json", "config.yaml")
        for kind, place in (("pipe", replaced_by_pipe), ("folder", replaced_by_folder))
    },
    **{
        f"{key} of another kind in {name}": lambda run, name=name, entry={key: value}: changed(run, name, **entry)
        for name, entries in OTHER_KINDS.items()
        for key, value in entries.items()
    },
}
WITHOUT_THE_NUMBER = {
    "no metrics": lambda run: changed(run, "summary.json", metrics=...),
    "null": lambda run: changed(run, "summary.json", metrics={"test/accuracy": None}),
    "NaN": lambda run: changed(run, "summary.json", metrics={"test/accuracy": float("nan")}),
    "infinity": lambda run: changed(run, "summary.json", metrics={"test/accuracy": float("inf")}),
    "text": lambda run: changed(run, "summary.json", metrics={"test/accuracy": "high"}),
    "a number that no float holds": lambda run: changed(run, "summary.json", metrics={"test/accuracy": 10**400}),
    "a number whose square no float holds": lambda run: changed(run, "summary.json", metrics={"test/accuracy": 1e300}),
    "a number of a thousand digits more": lambda run: (run / "summary.json").write_text(
        '{"metrics": {"test/accuracy": ' + "9" * 5000 + "}}"
    ),
}
SOUND = {
    "a setting that is a date": lambda run: added(run, "day: 2026-01-01\n"),
    "a setting that is no date": lambda run: added(run, "day: 2026-99-99\n"),
    "a setting of any size": lambda run: added(run, f"size: {'9' * 5000}\n"),
    "a seed beyond 64 bits": lambda run: changed(run, "manifest.json", seed=2**70),
    "an emoji": lambda run: changed(run, "manifest.json", model="\U0001f600"),
    "a time without a zone": lambda run: changed(run, "manifest.json", created="2026-01-01T00:00:00"),
    "versions that are null": lambda run: changed(run, "manifest.json", versions=None),
}


@pytest.fixture
def three(tmp_path):
    for seed in range(3):
        made_run(tmp_path / f"runs/{seed}", seed, 0.8 + seed / 100)
    return made_run(tmp_path / "runs/odd", 7, 0.1)


def compared(called):
    code, out = called("compare", "runs", "--metric", "test/accuracy", "--format", "json")
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize("odd", SKIPPED)
def test_a_run_that_cannot_be_read_is_skipped_by_name(three, called, odd):
    SKIPPED[odd](three)
    found = compared(called)
    assert [entry["path"] for entry in found["skipped"]] == ["runs/odd"]
    assert [row["n"] for row in found["rows"]] == [3]
    assert "cannot be read: runs/odd: " in called("list", "runs")[1]
    code, out = called("show", "runs/odd")
    assert (code, out) == (2, f"sdrun: runs/odd: {found['skipped'][0]['reason']}\n")


@pytest.mark.parametrize("odd", WITHOUT_THE_NUMBER)
def test_a_run_without_a_metric_is_counted(three, called, odd):
    WITHOUT_THE_NUMBER[odd](three)
    found = compared(called)
    assert found["notes"] == ["test/accuracy is absent or no number in 1 runs, which are left out of its column"]
    assert found["rows"][0]["n"] == 3
    assert found["rows"][0]["mean"] == pytest.approx(0.81)
    assert "4 of 4 runs" in called("list", "runs")[1]
    assert called("show", "runs/odd")[0] == 0


@pytest.mark.parametrize(
    "verb", [("compare", "runs"), ("list", "runs"), ("show", "runs/odd")], ids=lambda verb: verb[0]
)
@pytest.mark.parametrize("odd", SOUND)
def test_what_is_only_unusual_is_shown(three, called, odd, verb):
    SOUND[odd](three)
    assert called(*verb)[0] == 0


@pytest.mark.parametrize("odd", list(SKIPPED)[:3])
def test_where_no_run_is_whole_the_reasons_are_given(tmp_path, called, odd):
    SKIPPED[odd](made_run(tmp_path / "runs/odd", 0))
    code, out = called("compare", "runs")
    assert code == 2
    assert "there is no finished run to compare\n  runs/odd: " in out


def test_a_folder_that_is_no_run_is_named(tmp_path, called):
    (tmp_path / "runs/notes").mkdir(parents=True)
    assert "runs: manifest.json is not there" in called("compare", "runs")[1]
    assert called("show", "runs/notes") == (2, "sdrun: runs/notes: manifest.json is not there\n")
    assert "0 of 0 runs" in called("list", "runs")[1]
    assert called("list", "nowhere")[0] == 2


@pytest.mark.parametrize("style", ["md", "csv", "json", "html"])
def test_runs_without_any_usual_metric_are_no_traceback(tmp_path, called, style):
    changed(made_run(tmp_path / "runs/a", 0), "summary.json", metrics={})
    assert called("compare", "runs", "--format", style)[0] in (0, 2)


def test_a_metric_that_runs_without_metrics_lack_is_said(tmp_path, called):
    changed(made_run(tmp_path / "runs/a", 0), "summary.json", metrics=...)
    code, out = called("compare", "runs", "--metric", "test/accuracy")
    assert code == 2
    assert "no run has any metric that is declared" in out
    assert "--primary" in out


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_a_run_that_is_not_finished_is_listed_and_not_averaged(tmp_path, called, status):
    for seed in range(2):
        made_run(tmp_path / f"runs/{seed}", seed, 0.8)
    made_run(tmp_path / "runs/other", 2, 0.1, status=status)
    out = called("compare", "runs", "--metric", "test/accuracy", "--format", "md")[1]
    assert "| supervised | 2 | 80.00" in out
    assert f"not averaged: runs/other is {status}" in out
