"""What a claim asks, and what is refused of it."""

import pytest
from test_verdicts import DECLARED

from sdrun.claims.declaration import Contrast, declaration
from sdrun.errors import InputError

GRID = DECLARED["grid"]
BESIDE = {"left": "method:ensemble", "right": "tuned", "metric": "test/nll"}


def asked(**change):
    questions = declaration({**DECLARED, **change}).questions()
    return {kind: [(c.left, c.right, c.metric) for c in found] for kind, found in questions.items()}


def test_every_metric_is_asked_of_every_pair_of_arms():
    metrics = ["test/accuracy", "test/nll"]
    assert asked(metrics=metrics) == {
        "alive": [("method", "silent", metric) for metric in metrics],
        "around_zero": [("silent", "plain", metric) for metric in metrics],
        "helps": [("method", "tuned", metric) for metric in metrics],
        "equal_compute": [("method", "equal", metric) for metric in metrics],
        "beside": [],
    }


def test_what_is_declared_alive_replaces_the_silent_arm():
    found = asked(silent=None, alive=[BESIDE])
    assert found["alive"] == [("method:ensemble", "tuned", "test/nll")]
    assert found["around_zero"] == []


def test_what_is_beside_is_added():
    found = declaration({**DECLARED, "beside": [BESIDE]}).questions()
    assert found["beside"] == [Contrast("method:ensemble", "tuned", "test/nll")]
    assert len(found["helps"]) == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"grid": {**GRID, "epochs": []}}, "grid.epochs"),
        ({"grid": {**GRID, "view": []}}, "grid.view"),
        ({"grid": {**GRID, "label_smoothing": [1.5]}}, "grid.label_smoothing"),
        ({"grid": {**GRID, "epochs": [1, -0.5]}}, "grid.epochs"),
        ({"metrics": []}, "metrics"),
        ({"metrics": "test/accuracy"}, "metrics"),
        ({"seeds": ["a", "b"]}, "seeds"),
        ({"seeds": [0, 0]}, "seeds"),
        ({"silent": None, "alive": []}, "silent"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_its_key(change, word):
    with pytest.raises(InputError, match=f"hydra.sweeper.{word}"):
        declaration({**DECLARED, **change})
