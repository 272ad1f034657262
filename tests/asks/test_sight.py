"""What is seen of data before anything is planned."""

from dataclasses import replace

import numpy as np
import pytest

from sdrun.asks.labels import wrong
from sdrun.asks.sight import Sight
from sdrun.settings import Situation

SEEN = Sight("images of 1x8x8", 1000, 100, 10, 100, 360, 10, 10, "cnn, 2,080 parameters", None, 0.01, 0.02, 2)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4])
def test_about_as_many_labels_seem_wrong_as_are(share):
    """Blobs, which a kernel tells apart."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 800)
    fields = {"vector": rng.normal(size=(4, 12))[labels] * 2 + rng.normal(size=(800, 12))}
    is_wrong = rng.random(800) < share
    noisy = np.where(is_wrong, (labels + rng.integers(1, 4, 800)) % 4, labels)
    estimate, low, high = wrong(fields, noisy, 4)
    assert low <= estimate <= high
    assert estimate == pytest.approx(is_wrong.mean(), abs=0.07)


def test_where_a_quick_look_tells_too_little_nothing_is_said():
    rng = np.random.default_rng(0)
    noise, labels = {"vector": rng.normal(size=(300, 5))}, rng.integers(0, 3, 300)
    assert wrong(noise, labels, 3) is None
    assert wrong(noise, np.zeros(300, dtype=int), 2) is None  # of a class there is none


def test_situations_are_by_labels():
    assert SEEN.situations == {Situation.small, Situation.few_labels}
    many = replace(SEEN, num_labelled=1000)
    assert many.situations == {Situation.small, Situation.many_labels}
    assert replace(many, wrong=(0.1, 0.05, 0.15)).situations == many.situations | {Situation.wrong_labels}
    assert replace(many, wrong=(0.1, 0.01, 0.3)).situations == many.situations


def test_five_lines_say_it():
    assert SEEN.lines() == [
        "1,000 images of 1x8x8 for training, 100 for validation, 360 to test",
        "10 classes; 100 labels, 10 %, 10 of each",
        "labels: how many are wrong a quick look cannot tell",
        "network: cnn, 2,080 parameters",
        "a step of plain training: 10 ms by itself, 20 ms with 2 jobs at once",
    ]
    seen = replace(SEEN, num_labelled=1000, rarest=7, wrong=(0.1, 0.05, 0.15), at_once=1)
    assert seen.lines()[1:3] == [
        "10 classes; 1,000 labels, all, 7 to 10 of each",
        "labels: about 10 % [5, 15] seem wrong",
    ]
    assert seen.lines()[4] == "a step of plain training: 10 ms by itself"
    assert replace(SEEN, wrong=(0.0, 0.0, 0.001)).lines()[2] == "labels: hardly any seems wrong"
