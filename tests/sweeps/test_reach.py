"""A sweep over methods of which only some have a setting."""

import json

import pytest
from hydra._internal.utils import get_args_parser

from helpers import SMALL, summary
from sdrun import preflight
from sdrun.configuration import register, settings_from
from sdrun.errors import InputError
from sdrun.reach import reaching

LINES = [["method=born_again", "generations=2"], ["method=born_again", "generations=3"]]
OTHERS = [["method=supervised", "generations=2"], ["method=supervised", "generations=3"]]


class Chosen:
    """Where a choice has the name of its method; only a sweep over several is asked."""

    def method(self, line: list[str]) -> str:
        return line[0].partition("=")[2]


def test_a_setting_is_left_out_of_jobs_that_have_no_place_for_it_and_these_are_made_once():
    lines, notes = reaching([*LINES, *OTHERS], Chosen())
    assert lines == [*LINES, ["method=supervised"]]
    assert notes == ["generations=2,3 applies to born_again; supervised has none"]


def test_a_setting_that_no_method_has_stays_and_so_does_one_that_all_have():
    line = ["generations=2", "method.view=strong", "optim.lr=0.1"]
    lines = [[f"method={name}", *line] for name in ("supervised", "cs_kd", "mean_teacher")]
    assert reaching(lines, Chosen()) == (lines, [])


def test_several_methods_are_named_together():
    names = ("supervised", "mean_teacher", "dino", "cs_kd")
    lines, notes = reaching([[f"method={name}", "method.label_smoothing=0.1"] for name in names], Chosen())
    assert [len(line) for line in lines] == [2, 2, 1, 1]
    assert notes == ["method.label_smoothing=0.1 applies to supervised and mean_teacher; dino and cs_kd have none"]


@pytest.mark.parametrize("lines", [OTHERS, [line[1:] for line in LINES]])
def test_where_no_methods_are_swept_over_nothing_is_looked_at(lines):
    assert reaching(lines, None) == (lines, [])


def test_what_no_method_of_a_sweep_has_is_refused():
    register()
    words = ["-m", "method=supervised,cs_kd", "generations=3"]
    _, jobs = preflight.composed(get_args_parser().parse_args(words))
    with pytest.raises(InputError, match="^generations: has no effect with method=supervised; it is a setting of"):
        [settings_from(job) for job in jobs]


def test_such_a_sweep_runs_and_goes_on(called, tmp_path):
    """Also with a setting that the default method, which Hydra composes for all jobs, has not."""
    words = ["method=cs_kd,supervised", *SMALL, "optim.max_steps=2", "method.weight=0.5", "hydra/launcher=serial"]
    code, text = called("-m", *words, "hydra.sweep.dir=s")
    assert code == 0, text
    assert text.count("method.weight=0.5 applies to cs_kd; supervised has none\n") == 1
    jobs = json.loads((tmp_path / "s/sweep.json").read_text())["jobs"]
    asked = {name: [word for word in job["overrides"] if word.startswith("method")] for name, job in jobs.items()}
    assert [*asked.values()] == [["method=cs_kd", "method.weight=0.5"], ["method=supervised"]]
    assert {summary(tmp_path / "s" / name)["status"] for name in jobs} == {"completed"}
    assert called("resume", "s")[1].startswith("s is completed: 2 jobs; there is nothing to do\n")
