"""The index of a folder of runs, and what ``list`` makes of it."""

import csv
import io
import json
import shutil
import sqlite3
import sys

import pytest
from folders import made_run

from helpers import entries
from sdrun import cli
from sdrun.comparison import index


@pytest.fixture
def runs(tmp_path):
    for seed in range(3):
        made_run(tmp_path / f"runs/{seed}", seed, 0.8 + seed / 100, optim__lr=0.1 * (seed + 1))
    return tmp_path / "runs"


@pytest.fixture
def listed(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["sdrun", "list", "runs", *arguments])
        assert cli.main() == 0
        return capsys.readouterr().out

    return call


def names(found):
    return [entry.path.name for entry in found]


def unread(path):
    raise AssertionError(f"{path} was read")


def test_what_is_known_is_not_read_again(runs, monkeypatch):
    told = []
    first = entries(runs, True, told.append)
    monkeypatch.setattr(index, "read", unread)
    assert entries(runs, True, told.append) == first
    assert told == [3]
    made_run(runs / "new", 9)
    with pytest.raises(AssertionError, match="new was read"):
        entries(runs, True)


def test_a_run_that_is_removed_and_made_again_is_seen(runs):
    assert len(entries(runs, False)) == 3
    shutil.rmtree(runs / "1")
    assert names(entries(runs, False)) == ["0", "2"]
    made_run(runs / "1", 1, 0.5)
    assert entries(runs, False)[1].metrics["test/accuracy"] == 0.5


def test_a_run_that_becomes_readable_is_seen(runs):
    summary = (runs / "1/summary.json").read_text()
    (runs / "1/summary.json").write_text("{")
    assert entries(runs, False)[0].error.startswith("summary.json cannot be read")
    (runs / "1/summary.json").write_text(summary)
    assert [entry.error for entry in entries(runs, False)] == [None] * 3


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE runs (path TEXT PRIMARY KEY, stamp TEXT)", "PRAGMA user_version = 99", "CREATE TABLE other (a)"],
)
def test_an_index_of_another_kind_does_no_harm(runs, statement):
    database = sqlite3.connect(runs / index.FILE)
    database.execute(statement)
    database.commit()
    database.close()
    assert len(entries(runs, True)) == 3
    assert len(entries(runs, True)) == 3


def test_an_index_of_another_version_is_replaced(runs, monkeypatch):
    entries(runs, False)
    with sqlite3.connect(runs / index.FILE) as database:
        database.execute("UPDATE runs SET method = 'of old'")
        database.execute("PRAGMA user_version = 99")
    database.close()
    assert {entry.method for entry in entries(runs, False)} == {"supervised"}


def test_where_no_index_can_be_written_the_runs_are_listed(runs):
    (runs / index.FILE).mkdir()  # as good as a folder that is read-only, and root cannot write there either
    assert len(entries(runs, False)) == 3


def test_numbers_that_are_none_are_left_out(runs):
    made_run(runs / "nan", 9, float("nan"))
    entry = next(entry for entry in entries(runs, False) if entry.seed == 9)
    assert "test/accuracy" not in entry.metrics
    assert entry.metrics["test/nll"] == 0.5


def test_list_sorts_by_settings_and_metrics_and_puts_those_without_last(runs, listed):
    made_run(runs / "none", 9, None)
    found = json.loads(listed("--sort", "test/accuracy", "--format", "json"))
    assert [row["seed"] for row in found] == [2, 1, 0, 9]
    found = json.loads(listed("--sort", "optim.lr", "--format", "json"))
    assert [row["seed"] for row in found] == [2, 1, 0, 9]


def test_list_takes_the_command_lines_names_of_groups(runs, listed):
    made_run(runs / "other", 9, method="cs_kd")
    assert "1 of 4 runs" in listed("--where", "method=cs_kd")
    assert "1 of 4 runs" in listed("--where", "method.name=cs_kd")
    assert "4 of 4 runs" in listed("--where", "dataset=digits")
    assert "0 of 4 runs" in listed("--where", "method=cs_kd", "seed=0")


def test_list_as_csv_has_a_row_a_run(runs, listed):
    (runs / "0/manifest.json").write_text("{")
    rows = list(csv.DictReader(io.StringIO(listed("--metric", "test/nll", "--format", "csv"))))
    assert sorted(row["test/nll"] for row in rows) == ["", "0.5", "0.5"]
    assert [row["status"] for row in rows].count("unreadable") == 1


@pytest.mark.parametrize("arguments", [["--sort", "test/nothing"], ["--sort", "nothing"], ["--where", "seed"]])
def test_a_key_that_no_run_has_is_said(runs, monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["sdrun", "list", "runs", *arguments])
    assert cli.main() == 2
    assert capsys.readouterr().err.startswith(f"sdrun: {arguments[0]}")
