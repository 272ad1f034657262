"""The columns of HParams: the method as it was chosen, settings that differ, metrics that decide."""

import pytest
from boards import columns, hparams, log, seen, shown

from sdrun.comparison.hparams import session
from sdrun.comparison.runs import read


@pytest.fixture
def place(tmp_path):
    return tmp_path / "place"


def row(path):
    """What HParams may show of a run, by column."""
    values = hparams(session(read(path))[0]).session_start_info.hparams
    return {name[2:]: getattr(value, value.WhichOneof("kind")) for name, value in values.items()}


def fixmatch(path, seed, **settings):
    words = ["method=fixmatch", f"seed={seed}"]
    return seen(path, seed, method="consistency", overrides=words, **{"method__threshold": 0.95, **settings})


METRICS = ["test/accuracy", "test/nll_calibrated", "test/ece", "test/nll"]


def test_method_comes_first_then_what_differs_then_what_decides(tmp_path, place):
    for seed in (0, 1):
        fixmatch(tmp_path / f"runs/a{seed}", seed, optim__lr=0.1)
        seen(tmp_path / f"runs/b{seed}", seed, optim__lr=0.2)
    board = shown(place)
    assert columns(board) == ["method", "optim.lr", "seed", *METRICS]
    assert {view.place.name for view in board.views.values()} == {
        f"{method} seed={seed}" for method in ("fixmatch", "supervised") for seed in (0, 1)
    }


def test_of_one_run_no_setting_is_a_column(tmp_path, place):
    fixmatch(tmp_path / "runs/a", 0)
    assert columns(shown(place)) == ["method", *METRICS]


def test_settings_of_one_method_are_columns_where_they_differ_within_it(tmp_path, place):
    fixmatch(tmp_path / "runs/a", 0)
    seen(tmp_path / "runs/b", 0)
    board = shown(place)
    assert "method.threshold" not in columns(board)
    fixmatch(tmp_path / "runs/c", 0, method__threshold=0.7)
    before = board.columns
    board.update()
    assert columns(board)[1] == "method.threshold"
    assert board.columns != before  # so that TensorBoard starts again


def test_runs_under_way_are_no_rows(tmp_path, place):
    seen(tmp_path / "runs/a", 0, status="running")
    assert shown(place).columns is None


def test_the_last_value_of_a_curve_is_a_metric(tmp_path, place):
    path = seen(tmp_path / "runs/a", 0)
    assert not hparams(shown(place).columns).experiment.metric_infos
    log(path, [("supervised", step, "val/accuracy", 0.5) for step in (1, 2)])
    (metric,) = hparams(shown(place).columns).experiment.metric_infos
    assert (metric.name.tag, metric.display_name) == ("1 val/accuracy", "val/accuracy, last")


def test_values_are_of_their_kind(tmp_path):
    values = row(seen(tmp_path / "a", 3, 0.8, optim__nesterov=True, optim__decay=float("inf"), method__layers=[1, 2]))
    assert values["method"] == "supervised"
    assert (values["seed"], values["optim.epochs"], values["optim.nesterov"]) == ("3", 10.0, True)
    assert (values["optim.decay"], values["method.layers"]) == ("inf", "[1,2]")
    assert values["test/accuracy"] == 0.8
    assert not {"hardware.threads", "method.name", "dataset.seed"} & values.keys()


# The choice of a method ----------------------------------------------------------------------------------------------

TYPED = {
    "fixmatch": (["method=fixmatch"], "consistency", None),
    "the last": (["method=uda", "method=fixmatch"], "consistency", None),
    "a preset": (["method=consistency", "method.preset=fixmatch"], "consistency", "fixmatch"),
    "a preset that was chosen": (["method=fixmatch"], "consistency", "fixmatch"),
}


@pytest.mark.parametrize("typed", TYPED)
def test_a_run_is_called_as_it_was_typed(typed, tmp_path):
    overrides, method, preset = TYPED[typed]
    settings = {"method__preset": preset} if preset else {}
    assert read(seen(tmp_path / "a", 0, method=method, overrides=overrides, **settings)).title == "fixmatch"


@pytest.mark.parametrize(
    ("method", "preset", "choice"),
    [
        ("consistency", "plain", "consistency"),
        ("layerwise", "default", "layerwise"),
        ("layerwise", "byot", "layerwise_byot"),
        ("layerwise", "plain", "layerwise_plain"),
    ],
)
def test_a_preset_of_earlier_runs_is_called_as_its_choice_is_today(method, preset, choice, tmp_path):
    path = seen(tmp_path / "a", 0, method=method, method__preset=preset)
    assert read(path).title == choice
