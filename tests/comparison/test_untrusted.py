"""Folders that came from elsewhere: what they name is not followed, drawn or printed as anything else than it is."""

import json
import os
import sqlite3
import sys

import numpy as np
import pytest
from boards import shown
from folders import LABELS, made_run, predicted
from test_broken_runs import LAUGHS, changed

from helpers import entries
from sdrun import cli, configuration
from sdrun.comparison import charts, index, report
from sdrun.comparison.folders import find
from sdrun.settings.words import drawable, printable
from sdrun.tools import tensorboard

NASTY = "a\x1b[2J\u202eb\n~\x9bd"
SHOWN = "a\\x1b[2J\\u202eb\\n~\\x9bd"


# Links ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def linked(tmp_path):
    made_run(tmp_path / "runs/own", 0)
    made_run(tmp_path / "elsewhere/run", 1)
    (tmp_path / "runs/x").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "runs/y").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "runs/latest").symlink_to("own")
    return "runs/x is a link and was passed over, and 1 more like it; name it to include it"


@pytest.mark.parametrize("verb", ["list", "compare"])
@pytest.mark.parametrize("style", [None, "md", "csv", "json"])
def test_links_that_are_passed_over_are_told(linked, monkeypatch, capsys, verb, style):
    monkeypatch.setattr(sys, "argv", ["sdrun", verb, "runs", *(["--format", style] if style else [])])
    assert cli.main() == 0
    out, err = capsys.readouterr()
    assert linked in out + err
    if style == "csv" or (style, verb) == ("json", "list"):
        assert linked not in out
    if style == "json":
        json.loads(out)


def test_a_link_that_is_named_is_followed(linked, called):
    assert "1 of 1 runs" in called("list", "runs/x")[1]
    assert find(["runs", "runs/x"]).links


def test_a_report_tells_of_links(linked, called, tmp_path):
    assert called("report", "runs", "-o", "page.html")[0] == 0
    assert linked in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_folder_that_is_closed_is_named(tmp_path, called, monkeypatch):
    made_run(tmp_path / "runs/a", 0)
    (tmp_path / "runs/closed").mkdir()
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert "cannot be read: runs/closed: cannot be read (Permission denied)" in called("list", "runs")[1]
    assert find(["runs"]).skipped


# The index -----------------------------------------------------------------------------------------------------------


def test_the_index_is_not_written_through_a_link(tmp_path, called):
    made_run(tmp_path / "runs/a", 0)
    with sqlite3.connect(tmp_path / "own.db") as database:
        database.execute("CREATE TABLE mine (a)")
    database.close()
    before = (tmp_path / "own.db").read_bytes()
    (tmp_path / "runs" / index.FILE).symlink_to(tmp_path / "own.db")
    assert "1 of 1 runs" in called("list", "runs")[1]
    assert (tmp_path / "own.db").read_bytes() == before


def test_a_pipe_in_place_of_the_index_is_not_waited_for(tmp_path, called):
    made_run(tmp_path / "runs/a", 0)
    os.mkfifo(tmp_path / "runs" / index.FILE)
    assert "1 of 1 runs" in called("list", "runs")[1]


def test_a_folder_whose_name_is_no_text_is_listed(tmp_path, called):
    made_run(tmp_path / "runs/a", 0)
    made_run(tmp_path / "runs" / os.fsdecode(b"odd\xff"), 1)
    for _ in range(2):
        out = called("list", "runs")[1]
        assert "odd\\udcff" in out
        assert "2 of 2 runs" in out


def test_a_row_of_other_kinds_is_read_again(tmp_path):
    made_run(tmp_path / "runs/a", 0)
    first = entries(tmp_path / "runs", True)
    for change in ("seed = 'many'", "metrics = '[1]'", "settings = x'ff'", "created = 5, metrics = 7"):
        with sqlite3.connect(tmp_path / "runs" / index.FILE) as database:
            database.execute(f"UPDATE runs SET {change}")
        database.close()
        assert entries(tmp_path / "runs", True) == first


def test_settings_that_change_are_seen(tmp_path):
    run = made_run(tmp_path / "runs/a", 0)
    settings = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text("[")
    assert entries(tmp_path / "runs", True)[0].error
    (run / "config.yaml").write_text(settings)
    assert not entries(tmp_path / "runs", True)[0].error


# What is printed -----------------------------------------------------------------------------------------------------


def test_letters_of_any_script_are_printable():
    assert printable("Größe 数 عدد \U0001f600") == "Größe 数 عدد \U0001f600"
    assert printable(NASTY) == SHOWN
    assert printable("\ud800\x7f\r\u2066") == "\\ud800\\x7f\\r\\u2066"


@pytest.fixture
def nasty(tmp_path):
    """Names, labels, overrides, settings and errors that would take hold of a terminal."""
    for name, method in ((NASTY, "supervised"), ("b", NASTY)):
        for seed in range(2):
            run = made_run(tmp_path / f"runs/{name}{seed}", seed, 0.8 + seed / 100, method=method, note=NASTY)
            changed(run, "manifest.json", dataset=NASTY, model=NASTY, overrides=[NASTY], versions={"sdrun": NASTY})
            changed(run, "summary.json", error=NASTY, metrics={"test/accuracy": 0.5 + seed / 10, f"test/{NASTY}": 1})
    (made_run(tmp_path / f"runs/{NASTY}broken", 5) / "config.yaml").write_text('a: !<"\\e[2J"> b\n')
    (tmp_path / f"runs/{NASTY}link").symlink_to(tmp_path)
    made_run(tmp_path / f"runs/{NASTY}stopped", 6, status="failed")
    return tmp_path / "runs"


@pytest.mark.parametrize(
    "verb",
    [
        ["list", "runs"],
        *(["list", "runs", "--format", style] for style in ("md", "csv", "json")),
        ["list", "runs", "--metric", f"test/{NASTY}"],
        ["compare", "runs"],
        *(["compare", "runs", "--format", style] for style in ("md", "csv", "json", "html")),
        ["compare", "runs", "--metric", "test/none"],
        ["compare", "runs", "--baseline", "method=none"],
        ["report", "runs", "-o", "page.html"],
        ["show", f"runs/{NASTY}0"],
        ["show", "runs/b0"],
        ["show", f"runs/{NASTY}broken"],
    ],
    ids=lambda verb: " ".join(verb).replace(NASTY, "odd"),
)
def test_no_verb_prints_what_moves_a_terminal(nasty, called, tmp_path, verb):
    code, out = called(*verb)
    if (tmp_path / "page.html").exists():
        out += (tmp_path / "page.html").read_text(encoding="utf-8")
    assert code in (0, 2)
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)
    assert "\n~" not in out
    assert code == 0 or not verb[-1].startswith("runs/b")


def test_a_backslash_before_a_bracket_is_no_markup(tmp_path, called):
    made_run(tmp_path / "runs/a\\[red]b:smile:", 0)
    assert "a\\[red]b:smile:" in called("list", "runs")[1]
    assert "a\\[red]b:smile:" in called("show", "runs/a\\[red]b:smile:")[1]


@pytest.mark.parametrize("limit", ["-1", "-100"])
def test_a_negative_limit_is_refused(tmp_path, called, limit):
    made_run(tmp_path / "runs/a", 0)
    assert called("list", "runs", "--limit", limit) == (2, f"sdrun: --limit: is {limit}; 0 shows all rows\n")


def test_a_limit_holds_in_every_format(tmp_path, called):
    for seed in range(3):
        made_run(tmp_path / f"runs/{seed}", seed)
    code, out = called("list", "runs", "--limit", "2", "--format", "csv")
    assert code == 0
    assert out.count("completed") == 2
    assert "the first 2 are shown" in out


# Settings that ask for more ------------------------------------------------------------------------------------------


def hydras(run, text):
    (run / ".hydra").mkdir()
    (run / ".hydra/config.yaml").write_text(text)


def test_plain_references_are_resolved(tmp_path, called):
    run = made_run(tmp_path / "run", 3)
    hydras(run, "seed: 3\nmethod: {name: supervised, odd: '${seed}'}\ndataset: {seed: '${seed}'}\n")
    out = called("show", "run")[1]
    assert out.count("method.odd") == 1
    assert "dataset.seed" not in out


@pytest.mark.parametrize(
    "text",
    [
        "odd: '${oc.env:SECRET}'",
        "odd: '${ oc.env:SECRET }'",
        "odd: ['${oc.env:SECRET}']",
        "odd: 'a ${oc.env:SECRET} b'",
        "seed: 0\nodd: '${${oc.env:SECRET}}'",
        "one: '${oc.env:SECRET}'\nodd: '${one}'",
        "odd: '${odd}'",
        "odd: '${nothing}'",
        "odd: '${version:}'",
        LAUGHS + "odd: 1",
        "odd: !!python/object/apply:os.getcwd []",
    ],
)
def test_what_asks_for_more_than_settings_is_not_resolved(tmp_path, called, monkeypatch, text):
    monkeypatch.setenv("SECRET", "told")
    monkeypatch.setattr(configuration, "defaults", lambda names: {})
    hydras(made_run(tmp_path / "run", 0, method__note="kept"), text)
    code, out = called("show", "run")
    assert code == 0
    assert "told" not in out
    assert "odd" not in out
    assert "kept" in out


def test_settings_behind_a_link_are_not_shown(tmp_path, called):
    run = made_run(tmp_path / "run", 0)
    (tmp_path / "other.yaml").write_text("odd: secret\n")
    (run / ".hydra").mkdir()
    (run / ".hydra/config.yaml").symlink_to(tmp_path / "other.yaml")
    assert "secret" not in called("show", "run")[1]


def test_settings_of_the_run_itself_are_shown_unresolved(tmp_path, called, monkeypatch):
    monkeypatch.setenv("SECRET", "told")
    made_run(tmp_path / "run", 0, method__note="${oc.env:SECRET}")
    assert "${oc.env:SECRET}" in called("show", "run")[1]


@pytest.mark.parametrize("name", ["../../run/evil", "nan", "[a,b]", "${oc.env:SECRET}", "a,b"])
def test_a_choice_that_is_none_is_not_composed(tmp_path, called, monkeypatch, name):
    monkeypatch.setattr(configuration, "defaults", lambda names: pytest.fail(f"{names} were composed"))
    made_run(tmp_path / "run", 0, method__name=name)
    assert called("show", "run")[0] == 0


def test_show_tells_the_seed_of_the_data_where_it_is_another(tmp_path, called):
    made_run(tmp_path / "own", 1)
    made_run(tmp_path / "fixed", 1, dataset__seed=0)
    assert "dataset.seed" not in called("show", "own")[1]
    (line,) = [line for line in called("show", "fixed")[1].splitlines() if "dataset.seed" in line]
    assert line.split() == ["dataset.seed", "0", "${seed}"]


def test_runs_that_start_from_each_other_are_compared(tmp_path, called):
    for name, other in (("a", "b"), ("b", "a"), ("c", "c")):
        made_run(tmp_path / f"runs/{name}", 0, init_from=f"runs/{other}")
    made_run(tmp_path / "runs/d", 0, init_from=["no", "path"])
    assert called("compare", "runs")[0] == 0


# Predictions and pictures --------------------------------------------------------------------------------------------


def saved(run, **arrays):
    (run / "predictions").mkdir(exist_ok=True)
    np.savez(run / "predictions/cs_kd.npz", **arrays)


def piped(run):
    (run / "predictions").mkdir()
    os.mkfifo(run / "predictions/cs_kd.npz")


GOOD = np.eye(10)[LABELS]
ODD_PREDICTIONS = {
    "absent": lambda run: None,
    "junk": lambda run: ((run / "predictions").mkdir(), (run / "predictions/cs_kd.npz").write_bytes(b"junk")),
    "a pipe": piped,
    "no logits": lambda run: saved(run, test_labels=LABELS),
    "labels in two dimensions": lambda run: saved(run, test_logits=GOOD, test_labels=LABELS[:, None]),
    "logits in one": lambda run: saved(run, test_logits=GOOD[:, 0], test_labels=LABELS),
    "no rows": lambda run: saved(run, test_logits=GOOD[:0], test_labels=LABELS[:0]),
    "no classes": lambda run: saved(run, test_logits=GOOD[:, :0], test_labels=LABELS),
    "NaN": lambda run: saved(run, test_logits=np.where(GOOD, np.nan, GOOD), test_labels=LABELS),
    "objects": lambda run: saved(run, test_logits=GOOD.astype(object), test_labels=LABELS),
    "text": lambda run: saved(run, test_logits=GOOD.astype(str), test_labels=LABELS),
    "labels that are no classes": lambda run: saved(run, test_logits=GOOD, test_labels=LABELS + 1),
    "labels below zero": lambda run: saved(run, test_logits=GOOD, test_labels=LABELS - 1),
    "labels that are fractions": lambda run: saved(run, test_logits=GOOD, test_labels=LABELS / 2),
}


@pytest.mark.parametrize("odd", ODD_PREDICTIONS)
def test_predictions_that_cannot_be_used_are_named(tmp_path, called, odd):
    predicted(made_run(tmp_path / "runs/a", 0), np.arange(200) < 150)
    ODD_PREDICTIONS[odd](made_run(tmp_path / "runs/b", 0, method="cs_kd"))
    assert "not compared item by item: runs/b: predictions/cs_kd.npz " in called("compare", "runs")[1]


@pytest.mark.parametrize("style", ["md", "csv", "json", "html"])
def test_predictions_that_are_not_there_are_told_in_every_format(tmp_path, called, style):
    predicted(made_run(tmp_path / "runs/a", 0), np.arange(200) < 150)
    made_run(tmp_path / "runs/b", 0, method="cs_kd")
    out = called("compare", "runs", "--format", style)[1]
    assert "not compared item by item: runs/b: predictions/cs_kd.npz is not there" in out


def test_a_report_tells_whose_predictions_it_lacks(tmp_path, called):
    predicted(made_run(tmp_path / "runs/a", 0), np.arange(200) < 150)
    ODD_PREDICTIONS["NaN"](made_run(tmp_path / "runs/b", 0, method="cs_kd"))
    assert called("report", "runs", "-o", "page.html")[0] == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "reliability, selective prediction: runs/b: predictions/cs_kd.npz cannot be read (its logits are" in page
    assert page.count("<svg") == 3


def test_packed_predictions_are_not_unpacked(tmp_path, called):
    run = made_run(tmp_path / "runs/b", 0, method="cs_kd")
    (run / "predictions").mkdir()
    np.savez_compressed(run / "predictions/cs_kd.npz", test_logits=np.zeros((10_000, 10)), test_labels=np.zeros(10_000))
    with pytest.raises(Exception, match="it is packed"):
        find(["runs"]).finished[0].predictions()


def test_predictions_of_other_images_are_not_held_against_each_other(tmp_path, called):
    predicted(made_run(tmp_path / "runs/a", 0), np.arange(200) < 150)
    saved(made_run(tmp_path / "runs/b", 0, method="cs_kd"), test_logits=GOOD, test_labels=LABELS[::-1])
    assert "runs/b and runs/a have other labels" in called("compare", "runs")[1]


def test_runs_of_more_classes_than_others_are_drawn(tmp_path, called):
    predicted(made_run(tmp_path / "runs/a", 0), np.arange(200) < 150)
    saved(made_run(tmp_path / "runs/b", 0, method="cs_kd"), test_logits=np.eye(12)[LABELS], test_labels=LABELS)
    assert called("report", "runs", "-o", "page.html")[0] == 0
    assert "McNemar" in called("compare", "runs")[1]


POINT = '{"stage": "supervised", "name": "val/nll", '


@pytest.mark.parametrize(
    "line",
    [
        '{"name": "val/nll"',
        '["name", {"name": "val/nll"}]',
        '{"name": "val/nll"}',
        POINT + '"step": 1}',
        POINT + '"step": "a", "value": 1}',
        POINT + '"step": 10000000000000000000000000000, "value": 1}',
        POINT + '"step": 1, "value": "a"}',
        POINT + '"step": 1, "value": 1e999}',
        POINT + '"step": ' + "[" * 5000,
    ],
)
def test_a_log_that_cannot_be_read_is_named(tmp_path, called, line):
    for seed in range(2):
        lines = [POINT + f'"step": {step}, "value": 1}}' for step in (1, 2)]
        run = made_run(tmp_path / f"runs/{seed}", seed)
        (run / "metrics.jsonl").write_text("\n".join([*lines, *[line] * seed]))
    groups = {"a": {run.seed: run for run in find(["runs"]).finished}}
    *drawn, left_out = report.pictures(groups)
    assert len(drawn) == 1
    reason = "the curves of training: runs/1: metrics.jsonl cannot be read (line 3 is not what sdrun writes)"
    assert left_out.paragraphs[0] == reason


LABEL_TEXTS = ["_hidden", "", "$\\frac$", "$x", "\\$5", "a\x1bb\nc", "<b>&"]


@pytest.mark.parametrize("label", LABEL_TEXTS)
def test_labels_are_drawn_as_they_are(label):
    curve = (np.arange(3), np.ones((2, 3)))
    picture = charts.curves({label: curve, "other": curve}, "x", "y")
    texts = [printable(text) for text in texts_of(picture)]
    assert printable(label) in [text.strip() for text in texts]
    assert "other" in texts
    for drawn in (
        charts.reliability({label: (np.full(50, 0.5), np.ones(50))}, "t"),
        charts.by_stage({label: (["_a", "$\\frac$"], np.ones((2, 2)))}, "y"),
    ):
        assert printable(label) in [text.strip() for text in texts_of(drawn)]


def texts_of(picture):
    from xml.etree import ElementTree

    return ["".join(node.itertext()) for node in ElementTree.fromstring(picture).iter() if node.tag.endswith("text")]


@pytest.mark.parametrize("label", ["_hidden", "$\\frac$"])
def test_class_names_are_drawn_as_they_are(label):
    from sdrun.judges import maps, pictures
    from sdrun.methods.consistency.pictures import pseudo_labels

    logits, labels = np.eye(2).repeat(10, axis=0), np.arange(2).repeat(10)
    for figure in (
        pictures.confusion_matrix(logits, labels, [label, "b"]),
        pseudo_labels([label, "b"], [0.5, 0.5], [0.5, 0.5]),
        maps.feature_map(np.random.default_rng(0).normal(size=(20, 4)), labels, [label, "b"], 1),
    ):
        figure.draw_without_rendering()
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == [drawable(label), "b"]


# TensorBoard ---------------------------------------------------------------------------------------------------------


def test_a_label_longer_than_a_file_name_is_shown(tmp_path):
    for end in "ab":
        run = made_run(tmp_path / f"runs/{end}", 0, method__note="é" * 300 + end)
        (run / "tensorboard").mkdir()
    assert len(list(shown(tmp_path / "place").place.iterdir())) == 2


def test_tensorboard_tells_each_folder_once_that_it_does_not_show(linked, tmp_path, capsys):
    for number in range(8):
        (made_run(tmp_path / f"runs/broken{number}", number) / "config.yaml").write_text("[")
    said = set()
    for _ in range(2):
        tensorboard._tell(find(["runs"]), said)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("cannot be read: runs/broken") == 5
    assert err.count("8 cannot be read and are not shown") == 1
    assert err.count(linked) == 1


# Reports -------------------------------------------------------------------------------------------------------------


def test_of_many_runs_that_are_left_out_a_few_are_named(tmp_path):
    for seed in range(9):
        made_run(tmp_path / f"runs/{seed}", seed)
    groups = {"a": {run.seed: run for run in find(["runs"]).finished}}
    paragraphs = report.pictures(groups)[-1].paragraphs
    assert len([text for text in paragraphs if text.startswith("reliability, selective prediction: ")]) == 6
    assert "reliability, selective prediction: 4 more runs" in paragraphs
