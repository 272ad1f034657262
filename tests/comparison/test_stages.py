"""Runs at each of their stages, and what one run says of itself."""

import io
import json

import numpy as np
import pytest
import yaml
from folders import LABELS, made_run
from rich.console import Console

from sdrun.comparison import rendering, single, tables
from sdrun.comparison.advice import next_step
from sdrun.comparison.fairness import advantage
from sdrun.comparison.groups import grouped
from sdrun.comparison.runs import read
from sdrun.comparison.stages import at, baselines, places, seen_at
from sdrun.errors import InputError

NUM = len(LABELS)


def staged(path, seed=0, rights=(100, 130, 150), teachers=None, words=None, method="born_again", **settings):
    """A run of generations with predictions of their own, of which so many are right, and an ensemble at its end."""
    made_run(path, seed, method=method, **settings)
    stages = []
    (path / "predictions").mkdir()
    for number, right in enumerate(rights):
        metrics = {"test/accuracy": right / NUM, "test/nll": 1.0 - number / 10} | (words or {})
        name = f"generation_{number}" if number < len(rights) - 1 else "ensemble"
        steps = 10 if number < len(rights) - 1 else 0
        stage = {"name": name, "steps": steps, "samples": 10 * steps, "multiply_adds": 100 * steps * (1 + number)}
        stages.append({**stage, "seconds": float(steps), "metrics": metrics})
        logits = np.eye(10)[np.where(np.arange(NUM) < right, LABELS, (LABELS + 1) % 10)]
        np.savez(path / f"predictions/{name}.npz", test_logits=logits, test_labels=LABELS)
    summary = json.loads((path / "summary.json").read_text())
    last = next(stage for stage in reversed(stages) if stage["steps"])
    (path / "summary.json").write_text(json.dumps({**summary, "stages": stages, "metrics": last["metrics"]}))
    taught = {"generation_0": [], "generation_1": [{"stage": "generation_0"}]} if teachers is None else teachers
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "teachers": taught}))
    return path


def test_a_run_holds_itself_against_what_no_teacher_taught_before_its_last_training(tmp_path):
    run = read(staged(tmp_path / "a"))
    assert places(run) == ["generation_0", "generation_1", "ensemble"]
    assert baselines(run) == ["generation_0"]
    untaught = read(staged(tmp_path / "b", teachers={"generation_0": [], "generation_1": []}))
    assert baselines(untaught) == ["generation_0"]
    alone = read(staged(tmp_path / "c", rights=(100, 130), teachers={"generation_0": []}))
    assert baselines(alone) == ["generation_0"], "which the ensemble comes after"
    assert baselines(read(made_run(tmp_path / "d", 0))) == []


def test_at_a_stage_a_run_has_its_metrics_its_predictions_and_the_compute_up_to_there(tmp_path):
    run = read(staged(tmp_path / "a", words={"test/student/accuracy": 0.125, "test/best/accuracy": 0.25}))
    assert places(run)[:2] == ["generation_0", "generation_0/student"]
    first, student = at(run, "generation_0"), at(run, "student")
    assert (first.metric("test/accuracy"), student.metric("test/accuracy")) == (100 / NUM, 0.125)
    assert [at(run, stage).summary["compute"]["multiply_adds"] for stage in ("generation_0", "ensemble")] == [
        1000,
        3000,
    ]
    logits, labels = first.predictions()
    assert (logits.argmax(axis=1) == labels).sum() == 100
    assert student.settings["stage"] == "student"


def test_stages_that_no_run_has_are_refused_and_runs_of_one_stage_stay(tmp_path):
    runs = [read(staged(tmp_path / "a")), read(made_run(tmp_path / "b", 0))]
    assert [run.settings.get("stage") for run in seen_at(runs, ["ensemble"])] == ["ensemble", None]
    assert len(seen_at(runs, [])) == 4
    labels = [group.label for group in grouped(seen_at(runs, []))[0]]
    assert labels == ["born_again:generation_0", "born_again:generation_1", "born_again:ensemble", "supervised"]
    with pytest.raises(
        InputError, match=r"--stages generation_9: no run has a stage of that name; they have ensemble,"
    ):
        seen_at(runs, ["generation_9"])


def test_one_run_says_image_by_image_what_came_of_it_and_what_is_best(tmp_path):
    result = single.whole(read(staged(tmp_path / "a", rights=(100, 104, 150))))
    assert single.sentences(result) == [
        "generation_1 is 2.0 points of accuracy above generation_0 on 200 test items: "
        "within their noise (McNemar p 0.25, corrected for 2)",
        "ensemble is 25.0 points of accuracy above generation_0 on 200 test items: "
        "more than their noise (McNemar p < 0.0001, corrected for 2)",
    ]
    table = single.table(result)
    assert [row[:4] for row in table.rows] == [
        ["generation_0", "50.00", "baseline", ""],
        ["generation_1", "52.00", "+2.00", "3.0x"],
        ["ensemble", "75.00", "+25.00", "3.0x"],
    ]
    assert table.best == {(2, "accuracy, %"), (2, "NLL")}


def test_the_best_control_is_the_baseline_of_a_run_with_several(tmp_path):
    run = read(staged(tmp_path / "a", rights=(100, 90, 150), teachers={"generation_0": [], "generation_1": []}))
    run.summary["stages"][2]["steps"] = 10
    rows = single.whole(run).rows
    assert [row.baseline.label if row.baseline else None for row in rows] == [None, "generation_0", "generation_0"]
    assert len(single.sentences(single.whole(run))) == 1, "of the other control nothing is asked"


def test_compare_takes_stages_over_seeds_and_one_run_image_by_image(tmp_path, called):
    for seed in range(3):
        staged(tmp_path / f"runs/{seed}", seed, (100 + seed, 130 + seed, 150 + 2 * seed))
        made_run(tmp_path / f"plain/{seed}", seed, 0.6)
    assert "generation_1 is 15.0 points of accuracy above generation_0" in called("compare", "runs/0")[1]
    out = called("compare", "runs")[1]
    assert "ensemble is better than generation_0 by" in out
    assert called("compare", "runs", "--baseline", "stage=generation_0")[1] == out
    out = called("compare", "runs", "plain", "--stages", "ensemble", "--across", "optim")[1]
    assert "born_again:ensemble is better than supervised by" in out


def test_a_student_beside_its_average_has_a_row_and_no_verdict(tmp_path, called):
    for seed in range(2):
        made_run(tmp_path / f"runs/a{seed}", seed, 0.8 + seed / 100)
        taught = {"metrics": {"test/student/accuracy": 0.7 + seed / 50}, "method": "mean_teacher"}
        made_run(tmp_path / f"runs/b{seed}", seed, 0.9 + seed / 90, **taught)
    document = json.loads(called("compare", "runs", "--format", "json")[1])
    rows = [row for row in document["rows"] if row["metric"] == "test/accuracy"]
    assert [(row["runs"], row["mean"], row["p"] is None) for row in rows] == [
        ("supervised", pytest.approx(0.805), True),
        ("mean_teacher", pytest.approx(0.9 + 1 / 180), False),
        ("mean_teacher: student", pytest.approx(0.71), True),
    ]
    assert document["num_comparisons"] == 1


def groups_of(*paths):
    return grouped([read(path) for path in paths])[0]


def test_what_a_method_had_more_of_is_said_with_the_command_that_gives_it_to_the_baseline(tmp_path):
    own = {"method": "consistency", "method__view": "weak", "method__student_view": "strong"}
    for seed in (0, 3):
        made_run(tmp_path / f"a{seed}", seed, method__view="weak")
        path = made_run(tmp_path / f"b{seed}", seed, **own)
        summary = json.loads((path / "summary.json").read_text())
        summary["compute"]["multiply_adds"] = 2500
        (path / "summary.json").write_text(json.dumps(summary))
    base, method = groups_of(*sorted(tmp_path.iterdir()))
    base.example.manifest["overrides"] = ["method=supervised", "method.view=weak", "seed=0"]
    assert advantage(method, base) == [
        "consistency had strong views and 2.5 times the compute, supervised had not. A baseline that has it too:",
        "  sdrun -m method=supervised method.view=strong optim.epochs=25 seed=0,3",
    ]
    assert advantage(base, base) == []
    base.example.settings["method.view"] = "strong"
    base.example.manifest["overrides"] = ["method=supervised", "method.view=strong", "seed=0"]
    assert "method=supervised method.view=strong optim.epochs=25" in advantage(method, base)[1]


@pytest.mark.parametrize(
    ("num_train", "length"),
    [
        (1000, "optim.max_steps=75"),
        (100, "optim.epochs=25 optim.max_steps=75"),
        (None, "optim.epochs=25 optim.max_steps=75"),
    ],
)
def test_the_fair_baseline_trains_for_steps_where_these_end_it(tmp_path, num_train, length):
    base, method = groups_of(
        made_run(tmp_path / "a", 0, optim__max_steps=30, optim__batch_size=20),
        made_run(tmp_path / "b", 0, method="consistency", optim__max_steps=30, optim__batch_size=20),
    )
    base.example.manifest["items"] = {"num_train": num_train}
    method.example.summary["compute"]["multiply_adds"] = 2500
    assert f"method=supervised {length} seed=0" in advantage(method, base)[1]


def test_the_fair_baseline_of_a_stage_is_supervised_training_without_what_is_the_methods(tmp_path):
    path = staged(tmp_path / "a")
    manifest = json.loads((path / "manifest.json").read_text())
    of_method = ["method=born_again", "generations=2", "method.alpha=0.5", "control=shuffled", "seed=7"]
    of_method += ["teacher_model=cnn", "teacher_model.widths=[9]", "teacher_from=a"]
    manifest["overrides"] = [*of_method, "dataset=fashion_mnist", "model.widths=[8,8]", "pictures=false"]
    (path / "manifest.json").write_text(json.dumps(manifest))
    rows = single.whole(read(path)).rows
    told, command = advantage(rows[1].group, rows[0].group)
    assert told == "generation_1 had 3.0 times the compute, generation_0 had not. A baseline that has it too:"
    words = "method=supervised dataset=fashion_mnist 'model.widths=[8,8]' pictures=false optim.epochs=30 seed=0"
    assert command == f"  sdrun {words}"
    manifest["overrides"].append("experiment=mine")
    (path / "manifest.json").write_text(json.dumps(manifest))
    rows = single.whole(read(path)).rows
    assert advantage(rows[1].group, rows[0].group) == [told.partition(" A ")[0]], "whose values may be the method's"


@pytest.mark.parametrize(
    ("overrides", "lines"),
    [
        (["method=supervised"], ["This is a baseline. What may help, and when:", "  sdrun methods"]),
        (
            ["method=fixmatch", "seed=3", "dataset.num_labels=40"],
            [
                "One seed cannot tell whether it helps. Five tell more, in about 5 min:",
                "  sdrun -m method=supervised,fixmatch dataset.num_labels=40 seed=0,1,2,3,4",
            ],
        ),
    ],
)
def test_the_next_step_is_a_command(tmp_path, overrides, lines):
    path = made_run(tmp_path / "a", 0, method=overrides[0].partition("=")[2])
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "overrides": overrides}))
    assert next_step(read(path), 2) == lines


def test_the_next_step_of_a_run_with_its_own_baseline_is_itself_over_seeds(tmp_path):
    run = read(staged(tmp_path / "a"))
    assert next_step(run, 2)[1] == "  sdrun -m method=born_again seed=0,1,2,3,4"


@pytest.mark.parametrize(
    ("overrides", "settings", "title"),
    [
        (["method=fixmatch"], {}, "fixmatch"),
        (["experiment=x"], {}, "consistency"),
        (["method=consistency"], {"method__preset": "flexmatch"}, "flexmatch"),
        (["method=consistency"], {"method__preset": "plain"}, "consistency"),
    ],
)
def test_a_method_goes_by_the_name_that_was_typed(tmp_path, overrides, settings, title):
    path = made_run(tmp_path / "a", 0, method="consistency", **settings)
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "overrides": overrides}))
    run = read(path)
    assert run.title == title
    assert run.matches({"method": title})
    assert run.matches({"method": "consistency"})
    (path / "manifest.json").write_text(json.dumps({**manifest, "overrides": overrides, "title": "uda"}))
    assert read(path).title == "uda"
    assert yaml.safe_load((path / "config.yaml").read_text())["method"]["name"] == "consistency"


TABLE = tables.Table(
    "",
    ["run", "verdict", "seconds", "p"],
    [
        [
            "a/long/path/with/many/parts/20261127-003720-863-2544",
            "cannot tell with 5 seeds; about 29 more",
            "12.0",
            "0.1",
        ]
    ],
    left=("run", "verdict"),
    spare=("p", "seconds"),
    paths="run",
)


@pytest.mark.parametrize(("width", "is_there"), [(120, True), (70, False)])
def test_what_has_no_room_is_not_explained(tmp_path, width, is_there):
    file = io.StringIO()
    result = single.whole(read(staged(tmp_path / "a", words={"test/ece": 0.1})))
    rendering.show(result, Console(file=file, width=width, force_terminal=True, color_system=None))
    table, *notes = file.getvalue().split("accuracy: share of right", 1)
    assert ("ECE" in table) == ("ECE: expected" in notes[0]) == is_there
    assert "NLL: mean" in notes[0]


def test_numbers_and_words_are_whole_in_any_terminal():
    columns = ["runs", "mean ± sd", "95 %", "p", "verdict"]
    verdict = "cannot tell with 5 seeds; about 28 needed"
    rows = [["fixmatch", "79.72 ± 0.42", "[-0.46, +1.20]", "0.2843", verdict]]
    table = tables.Table("", columns, rows, left=("runs", "verdict"), spare=("p",))
    for width in range(56, 121):
        console = Console(width=width, force_terminal=True, color_system=None)
        with console.capture() as capture:
            tables.show(table, console)
        shown = capture.get().split()
        assert {"fixmatch", "[-0.46,", "+1.20]", "79.72", "0.42", *verdict.split()} <= set(shown), width


@pytest.mark.parametrize(
    ("width", "heads"),
    [(120, "run verdict seconds p"), (80, "run verdict seconds"), (60, "verdict seconds p"), (45, "verdict")],
)
def test_a_table_fits_its_terminal(width, heads):
    console = Console(width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        tables.show(TABLE, console)
    lines = capture.get().splitlines()
    assert next(line for line in lines if "verdict" in line).split() == heads.split()
    text = " ".join(lines)
    assert all(word in text for word in ("cannot", "tell", "seeds;", "more"))
    (path,) = (line for line in lines if "863-2544" in line)
    assert TABLE.rows[0][0] in path, "so that it can be copied"
    assert max(len(line) for line in lines if line != path) <= width
    assert (path == TABLE.rows[0][0]) == (width < 80)
