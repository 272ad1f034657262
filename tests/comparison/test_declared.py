"""What metrics mean is what runs declare: no tool needs one of any name."""

import json
from pathlib import Path

import pytest
from boards import columns
from boards import shown as shown_board
from folders import made_run

from helpers import entries
from sdrun.comparison.compare import compare
from sdrun.comparison.declared import EARLIER, together
from sdrun.comparison.folders import find
from sdrun.comparison.runs import read
from sdrun.judges.metric import (
    CLASSIFICATION,
    PSEUDO_LABELS,
    Better,
    Metric,
    by_name,
    fewest,
    from_json,
    lookup,
    shown,
    to_json,
)
from sdrun.storage.documents import Unreadable

RESULTS = Path(__file__).parents[2] / "docs/earlier"
RECALL = Metric("recall_10", Better.higher, "%", "recall@10", True)
LATENCY = Metric("latency", Better.lower, "ms", "latency")
DECLARED = to_json([RECALL, LATENCY])


def changed(run, **entries):
    summary = json.loads((run / "summary.json").read_text()) | entries
    (run / "summary.json").write_text(json.dumps(summary))


def retrieval(path, seed, recall, method="supervised", declared=DECLARED, **more):
    """A run that knows no classes: its metrics are of its own kind, and it has no predictions."""
    run = made_run(path, seed, method=method)
    metrics = {"test/recall_10": recall, **more}
    stage = {"name": method, "steps": 10, "seconds": 1.0, "metrics": metrics}
    changed(run, metrics=metrics, stages=[stage], declared=declared)
    names = ("train/loss", "val/recall_10", "val/recall_100")
    points = [{"stage": method, "step": step, "name": name, "value": 0.5} for step in (5, 10) for name in names]
    (run / "metrics.jsonl").write_text("".join(f"{json.dumps(point)}\n" for point in points))
    (run / "tensorboard").mkdir()
    return run


@pytest.fixture
def runs(tmp_path):
    for seed in range(6):
        noise = (seed % 3) / 200
        retrieval(tmp_path / f"runs/a{seed}", seed, 0.5 + seed / 100)
        retrieval(tmp_path / f"runs/b{seed}", seed, 0.6 + seed / 100 + noise, "cs_kd")
    return tmp_path / "runs"


def test_compare_needs_no_accuracy(runs, called):
    code, out = called("compare", "runs", "--format", "md")
    assert code == 0
    assert "**test/recall_10, %**" in out
    assert out.count("**test/") == 1
    assert "| 52.50 ± 1.87 |" in out
    assert "| better |" in out


def test_two_runs_without_predictions_are_compared(runs, called):
    code, out = called("compare", "runs/a0", "runs/b0", "--format", "md")
    assert code == 0
    assert "cs_kd is 10.0 points of recall@10 above supervised, by one run" in out


def test_list_needs_no_accuracy(runs, called):
    code, out = called("list", "runs", "--format", "md")
    assert code == 0
    assert "| seed | recall@10, % |" in out
    assert "| 0 | 50.00 |" in out
    assert called("list", "runs")[1].count("recall") == 1
    assert called("list", "runs", "--format", "csv")[1].startswith(
        "run,status,created,method,model,dataset,seed,test/r"
    )


def test_show_needs_no_accuracy(runs, called):
    code, out = called("show", "runs/a0")
    assert code == 0
    assert "recall@10, %" in out
    assert "test/recall_10, %" in out
    assert "accuracy" not in out
    assert "after a temperature" not in out


def test_report_needs_no_accuracy(runs, called):
    assert called("report", "runs")[0] == 0
    page = Path("report.html").read_text()
    assert "val/recall_10 over step" in page
    assert "train/loss over step" in page
    assert "recall_100" not in page
    assert "accuracy" not in page


def test_stages_are_drawn_by_what_is_declared(runs, called):
    for run in runs.iterdir():
        stages = json.loads((run / "summary.json").read_text())["stages"]
        changed(run, stages=[{**stages[0], "name": "first"}, stages[0]])
    assert called("report", "runs")[0] == 0
    assert "test/recall_10 by stage" in Path("report.html").read_text()


def test_tensorboard_needs_no_accuracy(runs, tmp_path):
    assert columns(shown_board(tmp_path / "place")) == ["method", "seed", "test/recall_10"]


def test_the_columns_of_tensorboard_are_those_that_decide(tmp_path):
    metrics = dict.fromkeys(("val/accuracy", "test/aurc", "test/brier", "test/ece_calibrated", "val/temperature"), 0.5)
    (made_run(tmp_path / "runs/a", 0, metrics=metrics) / "tensorboard").mkdir()
    overview, further = ["test/ece_calibrated", "test/nll_calibrated"], ["test/aurc", "test/ece", "test/nll"]
    expected = ["method", "test/accuracy", *overview, *further, "val/temperature"]
    assert columns(shown_board(tmp_path / "place")) == expected


def test_a_unit_is_shown_and_a_lower_latency_is_better(tmp_path, called):
    for seed in range(6):
        retrieval(tmp_path / f"runs/a{seed}", seed, 0.5, **{"test/latency": 9 + seed / 10})
        retrieval(tmp_path / f"runs/b{seed}", seed, 0.5, "cs_kd", **{"test/latency": 5 + seed / 11})
    out = called("compare", "runs", "--primary", "test/latency", "--format", "md")[1]
    assert "**test/latency, ms**" in out
    assert "| better |" in out


def test_what_nobody_declares_has_no_side(tmp_path):
    for seed in range(6):
        retrieval(tmp_path / f"a{seed}", seed, 0.5, **{"test/precedence": 0.1 + seed / 100})
        retrieval(tmp_path / f"b{seed}", seed, 0.5, "cs_kd", **{"test/precedence": 0.5 + seed / 101})
    result = compare(find([str(tmp_path)]), None, None, [], "test/precedence")
    assert next(row for row in result.rows if row.baseline).differences["test/precedence"].verdict == "higher"


def test_runs_that_declare_other_metrics_are_shown_together(tmp_path, called):
    retrieval(tmp_path / "runs/a", 0, 0.5)
    made_run(tmp_path / "runs/b", 0, 0.7, method="cs_kd", metrics={"test/ece_calibrated": 0.1})
    changed(tmp_path / "runs/b", declared=to_json(CLASSIFICATION))
    usual = ["test/recall_10", "test/accuracy", "test/nll", "test/nll_calibrated", "test/ece"]
    assert list(compare(find(["runs"]), None, None, []).metrics) == usual
    heads = "| recall@10, % | accuracy, % | NLL* | ECE* |"
    assert heads in called("list", "runs", "--format", "md")[1]


def test_a_run_without_metrics_has_no_columns(tmp_path, called):
    retrieval(tmp_path / "runs/a", 0, 0.5)
    changed(made_run(tmp_path / "runs/b", 0, status="running"), metrics={})
    assert "| seed | recall@10, % |\n" in called("list", "runs", "--format", "md")[1]


def test_of_earlier_runs_is_shown_what_was():
    usual = ["accuracy", "nll", "nll_calibrated", "ece", "ece_calibrated"]
    assert [metric.name for metric in shown(EARLIER)] == usual


def test_what_the_first_run_says_of_a_metric_counts():
    other = Metric("recall_10", Better.lower)
    assert together([{"recall_10": RECALL}, {"recall_10": other, "latency": LATENCY}]) == {
        "recall_10": RECALL,
        "latency": LATENCY,
    }
    assert together([{}]) == EARLIER


def test_what_is_declared_is_kept_in_the_index(runs):
    first = [entry.declared for entry in entries(runs, False)]
    assert [entry.declared for entry in entries(runs, False)] == first == [by_name([RECALL, LATENCY])] * 12


BROKEN = {
    "null": None,
    "a list": [],
    "text": "accuracy",
    "a metric that is text": {"recall_10": "higher"},
    "a metric that is null": {"recall_10": None},
    "a metric without anything": {"recall_10": {}},
    **{
        f"no {key}": {"recall_10": {k: v for k, v in DECLARED["recall_10"].items() if k != key}}
        for key in DECLARED["recall_10"]
    },
    "another side": {"recall_10": {**DECLARED["recall_10"], "better": "up"}},
    "a side that is a number": {"recall_10": {**DECLARED["recall_10"], "better": 1}},
    "a unit that is null": {"recall_10": {**DECLARED["recall_10"], "unit": None}},
    "a title that is a list": {"recall_10": {**DECLARED["recall_10"], "title": ["a"]}},
    "shown that is text": {"recall_10": {**DECLARED["recall_10"], "shown": "true"}},
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_declaration_that_is_not_whole_is_refused_by_the_file(tmp_path, called, broken):
    run = retrieval(tmp_path / "runs/a", 0, 0.5, declared=BROKEN[broken])
    with pytest.raises(Unreadable, match=r"^summary\.json .*declare"):
        read(run)
    made_run(tmp_path / "runs/b", 0)
    code, out = called("list", "runs")
    assert code == 0
    assert "cannot be read: runs/a: summary.json " in out


def test_a_metric_of_any_name_is_drawn_and_listed(tmp_path, called):
    odd = "$\\frac$\x1b[2J<b>"
    for seed in range(2):
        run = retrieval(tmp_path / f"runs/a{seed}", seed, 0.5, declared=to_json([Metric(odd, shown=True)]))
        points = (run / "metrics.jsonl").read_text().replace('"val/recall_10"', json.dumps(f"val/{odd}"))
        (run / "metrics.jsonl").write_text(points)
        stages = [{"name": name, "metrics": {f"test/{odd}": 0.5}, "steps": 1} for name in ("first", "supervised")]
        changed(run, metrics={f"test/{odd}": 0.5}, stages=stages)
    assert called("report", "runs")[0] == 0
    page = Path("report.html").read_text()
    assert "\\x1b[2J&lt;b&gt; over step" in page
    assert "\\x1b[2J&lt;b&gt; by stage" in page
    assert "<b>" not in page
    for arguments in (("list", "runs", "--format", "csv"), ("compare", "runs", "--format", "csv")):
        code, out = called(*arguments)
        assert (code, "\x1b" in out, "\\x1b" in out) == (0, False, True)


def test_no_title_takes_hold_of_a_terminal(tmp_path, called):
    retrieval(
        tmp_path / "runs/a", 0, 0.5, declared=to_json([Metric("recall_10", unit="\x1b[2J", title="\x9b", shown=True)])
    )
    for arguments in (("show", "runs/a"), ("list", "runs"), ("compare", "runs")):
        code, out = called(*arguments)
        assert code == 0
        assert not {"\x1b", "\x9b"} & set(out)


def test_a_declaration_is_read_as_it_was_written():
    assert list(from_json(json.loads(json.dumps(to_json(CLASSIFICATION)))).values()) == list(CLASSIFICATION)


def test_the_last_part_of_a_key_that_is_declared_counts():
    declared = by_name([*CLASSIFICATION, *PSEUDO_LABELS])
    assert lookup("unlabelled/mask/T-shirt", declared).name == "mask"
    assert lookup("generation_1:test/exit_2/accuracy", declared).name == "accuracy"
    assert lookup("accuracy/nll", declared).name == "nll"
    assert lookup("test/precedence", declared) == Metric("test/precedence")


def test_with_little_room_what_a_temperature_makes_better_is_shown_so():
    assert [metric.name for metric in fewest(by_name(CLASSIFICATION))] == [
        "accuracy",
        "nll_calibrated",
        "ece_calibrated",
    ]


def test_every_metric_of_the_results_is_one_that_is_known():
    runs = find([str(RESULTS)]).finished
    keys = {key for run in runs for stage in run.stages.values() for key in stage["metrics"]}
    assert len(keys) > 100
    assert {key for key in keys if lookup(key, EARLIER).name == key} == set()
