"""What methods keep where they reach as much, over the rates and lengths that were tried."""

import pytest
from folders import made_run

from sdrun.comparison.asked import compared
from sdrun.comparison.frontier import Axes
from sdrun.comparison.rendering import notes, sentences
from sdrun.comparison.report import lines
from sdrun.errors import InputError

OLD, NEW = "test/old/accuracy", "test/new/accuracy"
BOTH = (OLD, NEW)
POINTS = {
    "careful": {0.001: (0.80, 0.90), 0.01: (0.70, 0.95), 0.1: (0.40, 0.97)},
    "careless": {0.001: (0.75, 0.88), 0.01: (0.30, 0.96), 0.1: (0.10, 0.98)},
}
"""By rate, what is kept and what is reached."""


def tried(folder, has_validation=True, num_seeds=3, points=POINTS):
    for method, by_rate in points.items():
        for lr, (old, new) in by_rate.items():
            for seed in range(num_seeds):
                told = {
                    OLD: old + 0.0002 * seed * len(method),
                    NEW: new,
                    "test/new/start_kl": 1 - old,
                    "test/forgetting": 0.8 - old,
                }
                told |= (
                    {"val/old/accuracy": old + 0.0002 * seed * len(method), "val/new/accuracy": new}
                    if has_validation
                    else {}
                )
                epochs = 10 if lr < 0.1 else 20
                made_run(
                    folder / f"{method}-{lr}-{seed}",
                    seed,
                    method=method,
                    metrics=told,
                    optim__lr=lr,
                    optim__epochs=epochs,
                )
    return str(folder)


def asked(folder, level=None, **more):
    return compared([folder], baseline={"method": "careless"}, frontier=Axes(*BOTH, level), **more)


def kept(result):
    return {row.group.label: (row.cells[OLD].mean, row.cells[NEW].mean) for row in result.rows}


def test_each_line_keeps_most_where_the_level_is_reached(tmp_path):
    result = asked(tried(tmp_path), 0.95)
    assert kept(result) == {
        "careful": (pytest.approx(0.70, abs=0.01), pytest.approx(0.95)),
        "careless": (pytest.approx(0.30, abs=0.01), pytest.approx(0.96)),
    }
    difference = result.rows[0].differences[OLD]
    assert difference.paired.mean == pytest.approx(0.4, abs=0.01)
    assert difference.paired.n == 3
    (sentence,) = sentences(result)
    assert sentence.startswith("careful is better than careless by 39.")
    assert "points of test/old/accuracy where test/new/accuracy is 95.00 %" in sentence
    assert any("chosen on validation" in note for note in notes(result))


def test_the_level_is_the_most_that_all_reach(tmp_path):
    result = asked(tried(tmp_path))
    assert result.frontier.level == pytest.approx(0.97)
    assert kept(result)["careless"] == (pytest.approx(0.10, abs=0.01), pytest.approx(0.98))


def test_runs_are_chosen_on_validation_where_all_have_it(tmp_path):
    folder = tried(tmp_path)
    told = {OLD: 0.99, NEW: 0.99, "val/old/accuracy": 0.0, "val/new/accuracy": 0.99}  # only the test set praises it
    for seed in range(3):
        made_run(tmp_path / f"lucky{seed}", seed, method="careful", metrics=told, optim__lr=1.0, optim__epochs=10)
    assert kept(asked(folder, 0.95))["careful"] == (pytest.approx(0.70, abs=0.01), pytest.approx(0.95))


def test_without_validation_it_is_said(tmp_path):
    result = asked(tried(tmp_path, has_validation=False), 0.95)
    assert kept(result)["careful"][0] == pytest.approx(0.70, abs=0.01)
    assert any("on the same items that are told" in note for note in notes(result))


def test_seeds_that_do_not_reach_the_level_are_told_of(tmp_path):
    folder = tried(tmp_path, points={**POINTS, "slow": {0.001: (0.8, 0.5)}})
    result = asked(folder, 0.95)
    assert set(kept(result)) == {"careful", "careless"}
    assert any("slow: 3 seeds of 3 reach the level at no setting" in note for note in notes(result))
    with pytest.raises(InputError, match="--at 0.99: no run reaches that of val/new/accuracy"):
        asked(folder, 0.99)


def test_a_metric_that_is_better_low_is_reached_from_above(tmp_path):
    for method, by_nll in {"one": {0.3: 0.5, 0.6: 0.9}, "other": {0.3: 0.4, 0.6: 0.7}}.items():
        for number, (nll, old) in enumerate(by_nll.items()):
            for seed in range(2):
                told = {OLD: old + 0.01 * seed, "test/nll": nll}
                made_run(tmp_path / f"{method}{nll}-{seed}", seed, method=method, metrics=told, optim__lr=number)
    result = compared([str(tmp_path)], baseline={"method": "other"}, frontier=Axes(OLD, "test/nll", 0.4))
    assert {row.group.label: row.cells[OLD].mean for row in result.rows} == {
        "one": pytest.approx(0.505),
        "other": pytest.approx(0.405),
    }


def test_runs_without_both_metrics_are_left_out(tmp_path):
    folder = tried(tmp_path)
    for seed in range(3):
        made_run(tmp_path / f"joint{seed}", seed)
    result = asked(folder)
    assert result.frontier.level == pytest.approx(0.97)
    assert set(kept(result)) == {"careful", "careless"}
    assert any("left out, for they have not both metrics: 3 runs" in note for note in notes(result))


def test_one_seed_alone_says_the_level_and_no_noise_of_items(tmp_path):
    result = asked(tried(tmp_path, num_seeds=1), 0.95)
    told = "careful is 40.0 points of test/old/accuracy where test/new/accuracy is 95.00 % above careless, by one run"
    assert sentences(result) == [told]


def test_a_metric_that_no_run_has_is_named(tmp_path):
    with pytest.raises(InputError, match="--frontier test/no: no run has it"):
        compared([tried(tmp_path)], frontier=Axes("test/no", NEW))


def test_it_is_drawn_with_what_the_way_cost(tmp_path):
    result = asked(tried(tmp_path), 0.95)
    section = lines(result.frontier)
    assert section.title == "test/old/accuracy over test/new/accuracy"
    over, beside = map(str, section.pictures)
    assert over.count("careful") == beside.count("careful") == 1
    assert "KL to the start on the new task" in beside


@pytest.mark.parametrize(
    ("words", "told"),
    {
        ("--at", "0.9"): "--at: is of a frontier; say --frontier, too",
        ("--frontier", OLD): "--frontier: needs two metrics",
        ("--frontier", "--primary", OLD): "--primary: is the first metric of --frontier",
    }.items(),
)
def test_what_makes_no_sense_is_refused(words, told, tmp_path, called):
    code, text = called("compare", tried(tmp_path), *words)
    assert code == 2
    assert told in text


def test_both_verbs_have_it(tmp_path, called):
    folder = tried(tmp_path / "runs")
    code, text = called("compare", folder, "--frontier", "--at", "0.95", "--baseline", "method=careless")
    assert code == 0, text
    assert "careful is better than careless" in text
    code, text = called("report", folder, "--frontier", OLD, NEW, "-o", str(tmp_path / "page.html"))
    assert code == 0, text
    assert "test/old/accuracy over test/new/accuracy" in (tmp_path / "page.html").read_text()
