"""Which images train, and with which labels."""

import re
from dataclasses import replace

import numpy as np
import pytest

from helpers import settings
from sdrun.data.facts import is_uneven
from sdrun.data.labelled import Labelled
from sdrun.data.noise import noisy
from sdrun.data.splits import split
from sdrun.data.subsets import grouped, stratified
from sdrun.errors import InputError
from sdrun.tasks import load, measured


def test_stratified_subsets_keep_the_shares_and_are_seeded():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    chosen, rest = stratified(np.arange(100), labels, 20, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [12, 6, 2]
    assert sorted([*chosen, *rest]) == list(range(100))
    assert (stratified(np.arange(100), labels, 20, seed=0)[0] == chosen).all()
    assert (stratified(np.arange(100), labels, 20, seed=1)[0] != chosen).any()
    assert np.bincount(labels[stratified(np.arange(100), labels, 7, seed=0)[0]]).tolist() == [4, 2, 1]
    assert len(stratified(np.arange(100), labels, 0, seed=0)[0]) == 0


LABELS = np.arange(20000) % 10


def given(*overrides, seed=0, items=None):
    """Labels that are given to items whose own are ``LABELS``."""
    chosen = settings("dataset=digits", *overrides).dataset
    fields = {"x": np.zeros((20000, 1)) if items is None else items}
    return noisy(Labelled(fields, LABELS), LABELS, chosen, 10, seed)


@pytest.mark.parametrize("kind", ["symmetric", "pair"])
def test_label_noise_has_its_rate_and_kind(kind):
    flipped = given("dataset.label_noise=0.3", f"dataset.label_noise_kind={kind}")
    wrong = flipped != LABELS
    assert wrong.mean() == pytest.approx(0.3, abs=0.01)
    shifts = (flipped - LABELS)[wrong] % 10
    if kind == "pair":
        assert (shifts == 1).all()
    else:
        assert np.bincount(shifts, minlength=10)[1:] == pytest.approx(wrong.sum() / 9, rel=0.15)
    assert (given() == LABELS).all()


def test_noise_by_instance_has_its_rate_and_goes_where_an_item_lies():
    """Items at two places: those of a class that lie together are taken for the same other class."""
    place = np.arange(20000) // 10 % 2
    items = np.random.default_rng(0).normal(size=(2, 40))[place]
    noise = ("dataset.label_noise=0.3", "dataset.label_noise_kind=instance")
    flipped = given(*noise, items=items)
    wrong = flipped != LABELS
    assert wrong.mean() == pytest.approx(0.3, abs=0.02)
    liked = [
        np.bincount(flipped[wrong & (label == LABELS) & (place == side)]).max()
        / (wrong & (label == LABELS) & (place == side)).sum()
        for label in range(10)
        for side in range(2)
    ]
    assert np.median(liked) > 0.9
    assert (given(*noise, items=items) == flipped).all()
    assert (given(*noise, items=items, seed=1) != flipped).any()
    texts = replace(Labelled({}, LABELS), fields={"text": object()})
    chosen = settings("dataset=digits", *noise).dataset
    with pytest.raises(InputError, match="dataset.label_noise_kind: follows the numbers of an item"):
        noisy(texts, LABELS, chosen, 10, 0)


def test_noise_by_a_matrix_has_its_chances():
    matrix = np.eye(10)
    matrix[3] = [0.2, 0, 0, 0.5, 0, 0, 0, 0, 0, 0.3]
    flipped = given(f"dataset.label_noise_matrix={matrix.tolist()}".replace(" ", ""))
    shares = np.bincount(flipped[LABELS == 3], minlength=10) / 2000
    assert shares == pytest.approx(matrix[3], abs=0.03)
    assert (flipped == LABELS)[LABELS != 3].all()


@pytest.mark.parametrize(
    ("given_matrix", "told"),
    [
        ("[[0.5,0.5],[0,1]]", "has 2 rows for 10 classes; give one each"),
        ("[[0.5,0.6],[0,1]]", "needs rows of as many chances as there are rows, which sum to 1, but has [0.5, 0.6]"),
        ("[[0.5,a],[0,1]]", "needs rows of as many chances as there are rows, which sum to 1, but has [0.5, 'a']"),
        ("[0.5,0.5]", "needs rows of as many chances as there are rows, which sum to 1, but has 0.5"),
        ("[[1]]", "says how many are wrong, as dataset.label_noise does; give one of them"),
    ],
)
def test_a_matrix_that_is_none_is_refused(given_matrix, told):
    both = ("dataset.label_noise=0.2",) if given_matrix == "[[1]]" else ()
    with pytest.raises(InputError, match=re.escape(f"dataset.label_noise_matrix: {told}")):
        given(f"dataset.label_noise_matrix={given_matrix}", *both)


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
    fewer = splits("dataset.train_size=300", "dataset.labels_per_class=30")
    counts = np.bincount(fewer.train.labels)
    assert counts.min() < 30
    assert np.bincount(fewer.train.labels[fewer.labelled]).tolist() == np.minimum(counts, 30).tolist()
    assert f"labels of a class: {counts.min()} to 30" in fewer.facts
    with pytest.raises(InputError, match=f"dataset.labels_per_class: must be at most {counts.max()}, as no class"):
        splits("dataset.train_size=300", "dataset.labels_per_class=40")
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
    (doubt,) = chosen.doubts
    assert doubt.startswith(f"{key}: ")
    assert doubt.endswith(f": {', '.join(map(str, lacking[:5]))}" + ", ..." * (len(lacking) > 5))


def test_classes_that_a_dataset_lacks_are_told_but_only_some_of_many():
    chosen = settings("dataset=digits").dataset
    source = load(chosen)
    many = split(replace(source, classes=[f"class {number}" for number in range(100)]), chosen)
    assert many.doubts == (
        "dataset.name: 90 of 100 classes have no label to learn from: class 10, class 11, class 12, class 13, "
        "class 14, ...",
    )


def test_nothing_is_told_where_every_class_has_a_label():
    assert splits("dataset.num_labels=10", "dataset.label_noise=0.2").doubts == ()


def test_facts_tell_numbers_classes_and_what_is_uneven():
    told = splits("dataset.num_labels=100").facts
    assert told[0] == "images of 1x8x8: 1,257 for training (100 with labels), 180 for validation, 360 for testing"
    assert told[1].startswith("10 classes: 0, 1, 2, 3, 4, ...; 12")
    assert not any("uneven" in line for line in splits().facts)
    uneven = splits("dataset.train_size=20", "dataset.val_size=1400")
    assert not is_uneven(splits())
    assert any("uneven" in line for line in uneven.facts) == is_uneven(uneven)


def test_exact_copies_of_training_items_in_the_test_set_are_counted():
    chosen = settings("dataset=digits").dataset
    source = load(chosen)
    test = Labelled(
        {"image": np.concatenate([source.test.fields["image"], source.train.fields["image"]])},
        np.concatenate([source.test.labels, source.train.labels]),
    )
    (doubt,) = split(replace(source, test=test), chosen).doubts
    assert doubt == "1,257 of 1,797 test items are in training too, exactly the same"


def grouped_labels(num_groups=40, seed=0):
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(num_groups), random.integers(1, 9, num_groups))
    return groups, (groups % 3 + (random.random(len(groups)) < 0.2)) % 3


def test_whole_groups_are_held_out_with_about_the_share_of_every_class():
    groups, labels = grouped_labels()
    chosen, rest = grouped(groups, labels, 40, seed=0)
    assert sorted([*chosen, *rest]) == list(range(len(labels)))
    assert not set(groups[chosen]) & set(groups[rest])
    assert abs(len(chosen) - 40) <= 8
    share = np.bincount(labels[chosen]) / np.bincount(labels)
    assert share.max() - share.min() < 0.15
    assert (grouped(groups, labels, 40, seed=0)[0] == chosen).all()
    assert len(grouped(groups, labels, 0, seed=0)[0]) == 0


def test_validation_is_of_whole_groups_or_of_what_was_published_for_it():
    chosen = settings("dataset=digits").dataset
    source = load(chosen)
    groups = np.arange(len(source.train)) // 7
    in_groups = split(replace(source, groups=groups), chosen)
    place = {image.tobytes(): number for number, image in enumerate(source.train.fields["image"])}
    of = [
        {groups[place[image.tobytes()]] for image in part.fields["image"]}
        for part in (in_groups.train, in_groups.validation)
    ]
    assert not of[0] & of[1]
    published = np.arange(30)
    own = measured(replace(chosen, val_size=None), replace(source, validation=published))
    assert own.val_size == 30
    held_out = split(replace(source, validation=published), own).validation
    assert (held_out.fields["image"] == source.train.fields["image"][:30]).all()
    with pytest.raises(InputError, match="dataset.val_size: the data hold 30 items for validation"):
        split(replace(source, validation=published), chosen)


def test_what_is_not_given_is_measured():
    chosen = settings("dataset=digits").dataset
    source = replace(load(chosen), measured={"mean": [0.25]})
    assert measured(replace(chosen, val_size=None, mean=None), source).val_size == len(source.train) // 10
    assert measured(replace(chosen, mean=None), source).mean == [0.25]
    assert measured(chosen, source) == chosen
