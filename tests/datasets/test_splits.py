"""Which images train, and with which labels."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import settings
from sdrun.data.noise import flip_labels
from sdrun.data.splits import split
from sdrun.data.subsets import stratified
from sdrun.errors import InputError
from sdrun.settings import NoiseKind
from sdrun.tasks import load


def test_stratified_subsets_keep_the_shares_and_are_seeded():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    chosen, rest = stratified(np.arange(100), labels, 20, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [12, 6, 2]
    assert sorted([*chosen, *rest]) == list(range(100))
    assert (stratified(np.arange(100), labels, 20, seed=0)[0] == chosen).all()
    assert (stratified(np.arange(100), labels, 20, seed=1)[0] != chosen).any()
    assert np.bincount(labels[stratified(np.arange(100), labels, 7, seed=0)[0]]).tolist() == [4, 2, 1]
    assert len(stratified(np.arange(100), labels, 0, seed=0)[0]) == 0


@pytest.mark.parametrize("kind", list(NoiseKind))
def test_label_noise_has_its_rate_and_kind(kind):
    labels = np.arange(20000) % 10
    flipped = flip_labels(labels, 0.3, kind, 10, seed=0)
    wrong = flipped != labels
    assert wrong.mean() == pytest.approx(0.3, abs=0.01)
    shifts = (flipped - labels)[wrong] % 10
    if kind is NoiseKind.pair:
        assert (shifts == 1).all()
    else:
        assert np.bincount(shifts, minlength=10)[1:] == pytest.approx(wrong.sum() / 9, rel=0.15)
    assert (flip_labels(labels, 0.0, kind, 10, seed=0) == labels).all()


def splits(*overrides):
    chosen = settings("dataset=digits", *overrides).dataset
    return split(load(chosen), chosen)


def test_noise_touches_training_labels_alone_and_keeps_the_true_ones():
    clean, noisy = splits(), splits("dataset.label_noise=0.4")
    assert (noisy.true_labels == clean.train.labels).all()
    assert (noisy.train.labels != clean.train.labels).mean() == pytest.approx(0.4, abs=0.06)
    assert (noisy.validation.labels == clean.validation.labels).all()
    assert noisy.fingerprints()["test"] == clean.fingerprints()["test"]
    assert noisy.fingerprints()["train"] != clean.fingerprints()["train"]


def test_validation_subset_and_training_are_disjoint_and_seeded_together():
    one = splits("dataset.train_size=300", "dataset.val_size=100")
    assert (len(one.train), len(one.validation)) == (300, 100)
    seen = {image.tobytes() for image in one.train.fields["image"]}
    assert not seen & {image.tobytes() for image in one.validation.fields["image"]}
    assert splits("seed=1").fingerprints() != splits().fingerprints()
    assert splits("seed=1", "dataset.seed=0").fingerprints() == splits().fingerprints()
    assert len(splits("dataset.val_size=0").validation) == 0


def test_labels_may_be_as_many_of_each_class_and_too_many_are_named():
    found = splits("dataset.train_size=300", "dataset.labels_per_class=4")
    assert np.bincount(found.train.labels[found.labelled]).tolist() == [4] * 10
    again = splits("dataset.train_size=300", "dataset.labels_per_class=4", "seed=1", "dataset.seed=0")
    assert (found.labelled == again.labelled).all()
    with pytest.raises(InputError, match="dataset.labels_per_class: must be at most 2"):
        splits("dataset.train_size=300", "dataset.labels_per_class=40")
    with pytest.raises(InputError, match="must be at most 0"):
        splits("dataset.train_size=8", "dataset.labels_per_class=1")
    with pytest.raises(InputError, match="says the same as dataset.num_labels"):
        splits("dataset.num_labels=40", "dataset.labels_per_class=4")


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (("dataset.num_labels=5",), "dataset.num_labels"),
        (("dataset.train_size=6",), "dataset.train_size"),
        (("dataset.train_size=6", "dataset.num_labels=5"), "dataset.train_size"),
        (("dataset.train_size=12", "dataset.label_noise=0.9"), "dataset.label_noise"),
        (("dataset.val_size=1430",), "dataset.val_size"),
    ],
)
def test_classes_without_a_label_are_told_with_the_key_that_left_them_out(overrides, key):
    chosen = splits(*overrides)
    lacking = sorted(set(range(10)) - set(chosen.train.labels[chosen.labelled].tolist()))
    assert lacking
    assert chosen.doubt.startswith(f"{key}: ")
    assert chosen.doubt.endswith(f": {', '.join(map(str, lacking))}")


def test_classes_that_a_dataset_lacks_are_told_but_only_some_of_many():
    chosen = settings("dataset=digits").dataset
    source = load(chosen)
    many = split(replace(source, classes=[f"class {number}" for number in range(100)]), chosen)
    assert many.doubt == (
        "dataset.name: 90 of 100 classes have no label to learn from: class 10, class 11, class 12, class 13, "
        "class 14, class 15, class 16, class 17, class 18, class 19, ..."
    )


def test_nothing_is_told_where_every_class_has_a_label():
    assert splits("dataset.num_labels=10", "dataset.label_noise=0.2").doubt is None
