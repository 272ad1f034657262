"""A comparison in each format, read again by what reads such formats."""

import csv
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest
from folders import made_run, predicted

from sdrun.comparison.compare import compare
from sdrun.comparison.folders import find
from sdrun.comparison.rendering import notes, sentences, text

ODD = 'a|<b>,"c" [d]'


class Cells(HTMLParser):
    """The text of all cells, and of all else."""

    def __init__(self):
        super().__init__()
        self.cells, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


@pytest.fixture
def result(tmp_path):
    for seed, noise in enumerate((0.0, 0.02, -0.01)):
        made_run(tmp_path / f"a{seed}", seed, 0.8 + seed / 100)
        made_run(tmp_path / f"b{seed}", seed, 0.9 + noise, method="cs_kd", method__note=ODD)
        made_run(tmp_path / f"c{seed}", seed, None, method="cs_kd", method__note="c")
    return compare(find([str(tmp_path)]), ["test/nll"], None, [])


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_json_has_null_where_there_is_no_number(result):
    content = json.loads(text(result, "json"), parse_constant=refuse)
    rows = {(row["runs"], row["metric"]): row for row in content["rows"]}
    assert len(rows) == 6
    assert rows["cs_kd note=c", "test/accuracy"]["mean"] is None
    assert rows["cs_kd note=c", "test/accuracy"]["verdict"] is None
    found = rows[f"cs_kd note={ODD}", "test/accuracy"]
    assert (found["n"], found["pairs"], found["baseline"]) == (3, 3, "supervised")
    assert found["difference"] == pytest.approx(0.9 + 0.01 / 3 - 0.81)
    assert content["num_comparisons"] == 1
    assert [key for key, row in rows.items() if row["p"] is not None] == [(f"cs_kd note={ODD}", "test/accuracy")]
    assert (found["p_adjusted"], found["confidence"]) == (found["p"], 0.95)


def test_csv_keeps_odd_labels_whole(result):
    rows = list(csv.DictReader(io.StringIO(text(result, "csv"))))
    assert {row["runs"] for row in rows} == {"supervised", f"cs_kd note={ODD}", "cs_kd note=c"}
    assert all(None not in row for row in rows)


def test_html_escapes_labels(result):
    page = text(result, "html")
    parser = Cells()
    parser.feed(page)
    assert f"cs_kd note={ODD}" in parser.cells
    assert "<b>" not in page
    assert "b" not in parser.tags


def test_a_row_of_markdown_has_as_many_cells_as_its_head(result):
    lines = [line for line in text(result, "md").splitlines() if line.startswith("|")]
    cells = [line.replace("\\|", "").count("|") for line in lines]
    assert cells == [9] * (2 + 3) + [7] * (2 + 3)
    assert any("| cs_kd note=c | 0 | absent |" in line for line in lines)


def test_two_runs_alone_are_told_by_mcnemar_in_every_text(tmp_path):
    predicted(made_run(tmp_path / "a", 0), np.arange(200) < 150)
    predicted(made_run(tmp_path / "b", 0, method="cs_kd"), np.arange(200) < 170)
    result = compare(find([str(tmp_path)]), None, None, [])
    assert "McNemar p < 0.0001" in "\n".join(sentences(result))
    assert all("McNemar" in text(result, style) for style in ("md", "html"))
    assert json.loads(text(result, "json"))["rows"][-4]["alone_right"] == 20


@pytest.mark.parametrize("broken", [b"", b"junk", b"PK\x03\x04 cut short", None])
def test_two_runs_without_readable_predictions_are_compared_without_items(tmp_path, broken):
    for name, method in (("a", "supervised"), ("b", "cs_kd")):
        run = made_run(tmp_path / name, 0, method=method)
        if broken is not None:
            (run / "predictions").mkdir()
            (run / f"predictions/{method}.npz").write_bytes(broken)
    result = compare(find([str(tmp_path)]), None, None, [])
    assert [row.items for row in result.rows] == [None, None]
    assert "not compared item by item" in "\n".join(notes(result))
