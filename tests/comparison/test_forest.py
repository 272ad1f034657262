"""The picture of differences, whatever their labels and bounds are."""

import math
import warnings
from xml.etree import ElementTree

import pytest

from sdrun.comparison import forest
from sdrun.comparison.differences import Outcome, difference
from sdrun.judges.metric import Better, Metric
from sdrun.settings.words import printable

ACCURACY = Metric("accuracy", Better.higher, "%", "accuracy")
INF = math.inf


def drawn(rows, x="x"):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = forest.forest(rows, x)
    return picture, [
        "".join(node.itertext()).strip() for node in ElementTree.fromstring(picture).iter() if is_text(node)
    ]


def is_text(node):
    return node.tag.endswith("text")


def row(label="a", mean=1.0, low=0.5, high=1.5, dots=(0.9, 1.1), outcome=Outcome.better, **more):
    return forest.Line(label, mean, low, high, dots, outcome, **more)


def height(picture):
    return float(ElementTree.fromstring(picture).get("height").removesuffix("pt"))


def test_odd_labels_are_drawn_as_they_are():
    labels = ["_x", "$\\frac$", "$5", "a\x1bb\nc", "<b>&", "", " "]
    _, texts = drawn([row(label) for label in labels], "$odd_")
    assert {printable(label).strip() for label in labels} - {""} <= set(texts)
    assert "$odd_" in texts


def test_a_long_label_is_wrapped_and_the_picture_grows_with_it():
    words = "born_again alpha=0.5 optim.label_smoothing=0.1 dataset.views.strong.magnitude=9"
    picture, texts = drawn([row(words), row("b")])
    assert words not in texts
    assert set(words.split()) <= set(" ".join(texts).split())
    assert height(picture) > height(drawn([row("a"), row("b")])[0]) > height(drawn([row("a")])[0])
    _, texts = drawn([row("y" * 3000)])
    assert sum(text.count("y") for text in texts) < 200


@pytest.mark.parametrize(
    ("mean", "low", "high", "dots"),
    [
        (1.0, -INF, INF, [1, 1]),
        (0.0, 0.0, 0.0, [0, 0]),
        (0.0, -INF, INF, []),
        (1e152, 1e151, 1e155, [1e152]),
        (1, -1e9, 1e9, [2]),
    ],
)
def test_no_bound_breaks_it(mean, low, high, dots):
    assert "<svg" in drawn([row(mean=mean, low=low, high=high, dots=dots, outcome=Outcome.undecided), row()])[0]


def test_an_interval_without_end_leaves_the_others_to_be_seen():
    left, right = forest._limits([row(), row(low=-INF, high=INF), row(low=-1e6, high=1e6)])
    assert (-3 < left < 0, 1.5 < right < 3) == (True, True)


def test_rows_go_from_top_to_bottom_and_each_outcome_has_its_colour():
    rows = [row(outcome.value, outcome=outcome) for outcome in Outcome]
    picture, texts = drawn(rows)
    assert all(colour in picture for colour in forest.OUTCOMES.values())
    assert texts.index("better") < texts.index("worse") < texts.index("equal")
    assert "cannot be told" in texts


def test_a_row_of_a_difference_is_in_percent_with_its_seeds():
    base = {0: 0.5, 1: 0.5, 2: 0.5}
    gain = difference(ACCURACY, {0: 0.75, 1: 0.625, 2: 0.6875}, base)
    made = forest.line("a", gain)
    assert (made.mean, made.dots, made.outcome, made.margin) == (18.75, [25.0, 12.5, 18.75], Outcome.better, None)
    assert made.numbers.startswith("+18.75  [+")
    assert forest.line("a", gain, 0.5).outcome is Outcome.equal
    assert forest.line("a", gain, 0.1).outcome is Outcome.better
    assert forest.line("a", gain, 0.1).margin == 10.0
    assert drawn([forest.line("a", gain, 0.1)])[0] != drawn([made])[0]
    assert forest.line("a", difference(Metric("nll", Better.lower), base, {0: 0.25, 1: 0.25, 2: 0.5})).dots == [
        0.25,
        0.25,
        0,
    ]
