"""One metric is judged, and what else is looked at changes nothing."""

import json

import pytest
from folders import made_run

from sdrun.comparison.compare import compare
from sdrun.comparison.folders import find
from sdrun.comparison.rendering import by_metric, notes, sentences, text
from sdrun.errors import InputError
from sdrun.judges.metric import Better, Metric, to_json

NOISE = [0.0, 0.02, -0.01, 0.03]


@pytest.fixture
def folder(tmp_path):
    for seed, noise in enumerate(NOISE):
        made_run(tmp_path / f"a{seed}", seed, 0.5 + seed / 64, metrics={"test/brier": 0.25})
        for name, gain in (("b", 0.1), ("c", 0.0), ("d", -0.2)):
            more = {"test/nll": 0.5 + noise / 2 + gain, "test/brier": 0.25 - gain + noise / 3}
            made_run(
                tmp_path / f"{name}{seed}", seed, 0.5 + seed / 64 + gain + noise, "cs_kd", metrics=more, method__x=name
            )
    return tmp_path


def held(folder, metrics=None, primary=None):
    return compare(find([str(folder)]), metrics, None, [], primary)


def verdicts(result):
    rows = json.loads(text(result, "json"))["rows"]
    return {row["runs"]: (row["p_adjusted"], row["verdict"]) for row in rows if row["metric"] == result.primary}


def test_the_foremost_metric_is_judged_first_and_alone(folder):
    result = held(folder, ["test/nll", "test/brier", "test/accuracy"])
    assert list(result.metrics) == ["test/accuracy", "test/nll", "test/brier"]
    first, *others = by_metric(result)
    assert first.columns[-4:] == ["98.33 %", "in sd", "p", "verdict"]
    assert [row[-1] for row in first.rows[:2]] == ["baseline", "better"]
    assert all(table.columns[-2:] == ["95 %", "in sd"] for table in others)
    assert all(len(row) == len(table.columns) for table in (first, *others) for row in table.rows)
    assert "hold together for its 3 comparisons (98.33 % each)" in "\n".join(notes(result))
    rows = json.loads(text(result, "json"))["rows"]
    unjudged = [row for row in rows if row["metric"] != "test/accuracy" and row["baseline"]]
    assert len(unjudged) == 6
    assert all(row["low"] is not None and row["confidence"] == 0.95 for row in unjudged)
    assert {row[key] for row in unjudged for key in ("p", "p_adjusted", "needed", "verdict")} == {None}


def test_the_same_data_give_the_same_verdict_whatever_is_looked_at(folder):
    results = [
        held(folder, metrics)
        for metrics in (None, ["test/accuracy"], ["test/nll"], ["test/brier", "test/ece", "test/nll", "test/accuracy"])
    ]
    assert all(verdicts(result) == verdicts(results[0]) for result in results)
    assert all(sentences(result) == sentences(results[0]) for result in results)
    assert {result.num_tests for result in results} == {3}


def test_another_can_be_asked_for(folder):
    result = held(folder, ["test/accuracy"], "test/nll")
    assert list(result.metrics) == ["test/nll", "test/accuracy"]
    assert {label: verdict for label, (_, verdict) in verdicts(result).items()}["cs_kd x=b"] == "worse"
    assert sentences(result)[0].startswith("cs_kd x=b is worse than supervised: NLL is higher by ")


def test_a_metric_of_another_part_is_called_by_its_whole_name(folder):
    made = [run for run in folder.iterdir() if run.name.startswith(("a", "b"))]
    for run in made:
        summary = json.loads((run / "summary.json").read_text())
        summary["metrics"]["val/accuracy"] = summary["metrics"]["test/accuracy"]
        (run / "summary.json").write_text(json.dumps(summary))
    assert "points of val/accuracy" in sentences(held(folder, None, "val/accuracy"))[0]


def test_one_that_no_run_has_is_refused_by_name(folder):
    with pytest.raises(InputError, match="--primary accuracy: no run has it; they have test/accuracy"):
        held(folder, None, "accuracy")


def test_the_next_is_judged_where_no_run_has_the_foremost(tmp_path):
    made_run(tmp_path / "a", 0, None)
    made_run(tmp_path / "b", 1, float("nan"))
    assert held(tmp_path).primary == "test/nll"
    made_run(tmp_path / "c", 2, 0.5)
    assert held(tmp_path).primary == "test/accuracy"


def test_of_runs_that_declare_different_ones_most_decide(folder):
    recall = Metric("recall", Better.higher, "%", "recall", True)
    for seed in range(5):
        run = made_run(folder / f"0{seed}", seed, None, "dino", metrics={"test/recall": 0.5})
        summary = json.loads((run / "summary.json").read_text()) | {"declared": to_json([recall])}
        (run / "summary.json").write_text(json.dumps(summary))
    assert list(held(folder, ["test/recall"]).metrics) == ["test/accuracy", "test/recall"]


def test_where_nothing_can_be_judged_it_is_said_what_to_name(tmp_path):
    gone = dict.fromkeys(("test/accuracy", "test/nll", "test/nll_calibrated", "test/ece"))
    made_run(tmp_path / "a", 0, metrics={**gone, "test/odd": 1.0})
    with pytest.raises(InputError, match="name one by --primary"):
        held(tmp_path, ["test/odd"])
    assert held(tmp_path, None, "test/odd").primary == "test/odd"


@pytest.mark.parametrize("style", ["md", "html", None])
def test_sentences_come_before_the_tables(folder, called, style):
    code, out = called("compare", str(folder), *(["--format", style] if style else []))
    assert code == 0
    words = "cs_kd x=b is better than supervised by "
    assert 0 <= out.index(words) < out.index("mean ± sd")
    assert "; it costs as much compute" in out


def test_programs_get_the_sentences_as_json_and_not_as_csv(folder, called):
    document = json.loads(called("compare", str(folder), "--format", "json")[1])
    assert len(document["sentences"]) == 3
    assert (document["primary"], document["correction"], document["num_comparisons"]) == (
        "test/accuracy",
        "Bonferroni",
        3,
    )
    assert "better than" not in called("compare", str(folder), "--format", "csv")[1]


def test_a_report_begins_with_sentences_and_their_picture(folder, called, tmp_path):
    page = tmp_path / "report.html"
    assert called("report", str(folder), "-o", str(page), "--primary", "test/nll", "--metric", "test/accuracy")[0] == 0
    content = page.read_text()
    places = [content.index(words) for words in ("cs_kd x=b is worse than supervised", "Differences in NLL", "<table>")]
    assert places == sorted(places)
    assert called("report", str(folder), "--primary", "test/no")[0] == 2
