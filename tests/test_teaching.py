"""What is said of a stage's teachers before it trains."""

import pytest

from helpers import start, summary
from sdrun.judges.metric import CLASSIFICATION, REPRESENTATION
from sdrun.storage.stage import StageResult
from sdrun.teaching import announced


def stage(name, accuracy, nll, steps=10, part="val"):
    metrics = {f"{part}/accuracy": accuracy, f"{part}/nll": nll}
    return StageResult(name=name, steps=steps, seconds=1.0, metrics=metrics)


ALONE, FIRST, SECOND = stage("zero", 0.839, 0.4607), stage("one", 0.842, 0.4512), stage("two", 0.839, 0.4)


def line(teachers, results=(ALONE, FIRST, SECOND), untaught=("zero",), judged=CLASSIFICATION):
    return announced("next", teachers, results, untaught, judged)


def test_the_teacher_and_what_training_alone_gives():
    assert line(["zero"]) == "next learns from zero: val/accuracy 83.90 %, val/nll 0.4607"
    better = "next learns from one: val/accuracy 84.20 %, val/nll 0.4512; alone, zero has 83.90 %, 0.4607"
    assert line(["one"]) == better
    assert line(["two"]).endswith("zero has 83.90 %, 0.4607: no gap in val/accuracy")
    assert line(["one"], untaught=["elsewhere", "zero", "two"]).endswith("; alone, two has 83.90 %, 0.4000")


def test_the_members_of_an_ensemble():
    told = "next learns from the ensemble of zero (val/accuracy 83.90 %, val/nll 0.4607) and one (84.20 %, 0.4512)"
    assert line(["zero", "one"]) == told
    assert line(["one", "two"]).endswith(" and two (83.90 %, 0.4000); alone, zero has 83.90 %, 0.4607")


@pytest.mark.parametrize(
    "case",
    [
        {"teachers": []},
        {"teachers": ["items"]},
        {"teachers": ["one", "items"]},
        {"teachers": ["made"], "results": [stage("made", 0.8, 0.5, steps=0)]},
        {"teachers": ["one"], "results": [stage("one", 0.8, 0.5, part="test")]},
        {"teachers": ["one"], "judged": REPRESENTATION},
        {"teachers": ["one"], "judged": ()},
    ],
)
def test_nothing_is_said_where_nothing_is_to_be_told(case):
    assert line(**case) is None


def test_a_line_of_generations_says_it_before_each(tmp_path, capsys):
    few = ("method=born_again", "generations=3", "optim.max_steps=3")
    path = start(tmp_path / "run", *few)
    first, second, _, _ = summary(path)["stages"]
    accuracies, losses = zip(
        *((100 * s["metrics"]["val/accuracy"], s["metrics"]["val/nll"]) for s in (first, second)), strict=True
    )
    lines = [
        f"generation_1 learns from generation_0: val/accuracy {accuracies[0]:.2f} %, val/nll {losses[0]:.4f}",
        f"generation_2 learns from generation_1: val/accuracy {accuracies[1]:.2f} %, val/nll {losses[1]:.4f}; alone, "
        f"generation_0 has {accuracies[0]:.2f} %, {losses[0]:.4f}"
        + ": no gap in val/accuracy"
        * (accuracies[1] <= accuracies[0]),
    ]
    for text in (capsys.readouterr().out, (path / "run.log").read_text()):
        assert [text.count(told) for told in lines] == [1, 1]
        assert text.index("generation_0: test") < text.index(lines[0]) < text.index("generation_1: test")
        assert text.count("learns from") == 2
