"""A dataset of one's own: classes by labels of any kind, what is tested on, what stays together."""

from dataclasses import replace

import numpy as np
import pytest
from owned import asked, load, npz, safetensors, table, vectors

from sdrun import tasks
from sdrun.data.splits import split
from sdrun.errors import InputError

X, Y = vectors()
SHARES = np.random.default_rng(0).dirichlet(np.ones(3), 60).astype(np.float32)


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr(tasks, "_loaded", {})


def of_labels(tmp_path, y, **more):
    return load(npz(tmp_path / "a.npz", x=X, y=y, **more))


WRITTEN = {
    "from 0": (Y, ["0", "1", "2"]),
    "from 1": (Y + 1, ["1", "2", "3"]),
    "any": (np.array([10, -1, 9])[Y], ["-1", "9", "10"]),
    "bytes": (Y.astype(np.uint8), ["0", "1", "2"]),
    "in a column": (Y[:, None], ["0", "1", "2"]),
    "whole floats": (Y.astype(np.float32), ["0", "1", "2"]),
    "truth": (Y > 0, ["False", "True"]),
    "texts": (np.array(["wolf", "ant", "bee"])[Y], ["ant", "bee", "wolf"]),
    "one-hot": (np.eye(4)[Y], ["0", "1", "2", "3"]),
    "one-hot bytes": (np.eye(3, dtype=np.uint8)[Y], ["0", "1", "2"]),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_labels_of_each_kind_are_classes_by_name(case, tmp_path):
    y, names = WRITTEN[case]
    published = of_labels(tmp_path, y)
    assert published.classes == names
    assert published.train.soft is None
    for part in (published.train, published.test):
        assert part.labels.dtype == np.int64
        for vector, label in zip(part.fields["vector"], part.labels, strict=True):
            (written,) = np.atleast_2d(y.reshape(60, -1)[(vector == X).all(axis=1)])
            assert names[label] == str(written.argmax() if len(written) > 1 else written[0]).removesuffix(".0")


def test_shares_are_learned_and_the_largest_is_the_class(tmp_path):
    published = of_labels(tmp_path, SHARES)
    assert published.classes == ["0", "1", "2"]
    for part in (published.train, published.test):
        assert part.soft.dtype == np.float32
        np.testing.assert_allclose(part.soft.sum(axis=1), 1, rtol=1e-6)
        assert (part.soft.argmax(axis=1) == part.labels).all()
        assert np.array_equal(part.crowd, part.soft)
    splits = split(published, replace(asked("vectors"), num_labels=10, val_size=0))
    learned = splits.learned["train"]
    assert np.array_equal(learned[splits.labelled], splits.train.soft[splits.labelled])
    assert np.delete(learned, splits.labelled, axis=0).sum() == 0


def test_shares_beside_classes_are_one_kind(tmp_path):
    parts = {"train_y": SHARES[:40], "val_y": Y[40:50], "test_y": np.eye(3)[Y[50:]]}
    published = load(npz(tmp_path / "a.npz", train_x=X[:40], val_x=X[40:50], test_x=X[50:], **parts))
    np.testing.assert_allclose(published.train.soft[:40], SHARES[:40], rtol=1e-6)
    assert published.train.soft[40:].argmax(axis=1).tolist() == Y[40:50].tolist()
    assert published.test.labels.tolist() == Y[50:].tolist()


def test_several_classes_may_be_right(tmp_path):
    right = np.zeros((60, 3), dtype=np.uint8)
    right[np.arange(60), Y] = right[::2, 0] = 1
    published = of_labels(tmp_path, right)
    assert published.train.soft is published.train.crowd is None
    for part in (published.train, published.test):
        assert part.right.dtype == bool
        assert part.right[np.arange(len(part)), part.labels].all()
        for vector, own in zip(part.fields["vector"], part.right, strict=True):
            assert (right[(vector == X).all(axis=1)] == own).all()
    splits = split(published, replace(asked("vectors"), num_labels=10, val_size=0))
    learned = splits.learned["train"]
    assert learned.dtype == bool
    assert np.array_equal(learned[splits.labelled], splits.train.right[splits.labelled])
    assert not np.delete(learned, splits.labelled, axis=0).any()
    assert "labels are sets of classes, of which any is right" in published.facts
    right[7] = 0
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match=r"y\[7\]: has no class that is right; each item needs one"):
        of_labels(tmp_path / "other", right)


def test_sets_and_shares_are_not_mixed(tmp_path):
    parts = {"train_y": SHARES[:40], "test_y": [[1, 1, 0]] * 20}
    with pytest.raises(InputError, match="holds shares of classes, and another part says which of them are right"):
        load(npz(tmp_path / "a.npz", train_x=X[:40], test_x=X[40:], **parts))


def test_noise_of_shares_is_refused_before_training(tmp_path, called):
    file = npz(tmp_path / "a.npz", x=X, y=SHARES)
    code, text = called("dataset=vectors", f"dataset.root={file}", "dataset.label_noise=0.1", "method=supervised")
    told = "sdrun: dataset.label_noise: changes classes, and these labels are shares of classes; leave it out\n"
    assert (code, text) == (2, told)


def changed(y, row, value):
    y = y.copy()
    y[row] = value
    return y


LABELS = {
    "half": (changed(Y.astype(float), 7, 0.5), "PLACE, y[7]: is 0.5; write a whole number for each class"),
    "NaN": (changed(Y.astype(float), 7, np.nan), "PLACE, y[7]: is nan; write a whole number"),
    "infinite": (changed(Y.astype(float), 7, np.inf), "PLACE, y[7]: is inf; write a whole number"),
    "empty": (changed(np.array(["wolf", "ant", "bee"])[Y], 7, ""), "PLACE, y[7]: is empty; remove such items"),
    "complex": (Y * 1j, "PLACE, y: holds complex128; write whole numbers, or texts"),
    "bytes": (np.array([b"a", b"b", b"c"])[Y], "PLACE, y: holds |S1; write whole numbers, or texts"),
    "maps": (np.zeros((60, 2, 2)), "PLACE, y: is [60, 2, 2]; write a label [N] for each item, or shares [N, K]"),
    "texts of shares": (SHARES.astype(str), "PLACE, y: holds <U32 [N, K]; write shares of the classes, as numbers"),
    "one class": (np.zeros(60, int), "PLACE, y: all items have the label '0'; a classifier needs two"),
    "one one-hot class": (np.eye(3)[Y * 0], "PLACE, y: all items have the label '0'"),
    "no classes": (np.arange(60), "PLACE, y: has 60 different labels for 60 items; name those of classes, or add"),
    "one number twice": (np.array(["1", "1.0", "2"])[Y], "PLACE, y: has the labels '1' and '1.0', which are one"),
    "a share of NaN": (changed(SHARES, (7, 1), np.nan), "PLACE, y[7]: is not finite; remove such items"),
    "a share below 0": (changed(SHARES, 7, [-0.5, 0.5, 1]), "PLACE, y[7]: holds -0.5; no share is below 0"),
    "a sum above 1": (changed(SHARES, 7, [0.5, 0.3, 0.21]), "PLACE, y[7]: sums to 1.01; the shares of an item sum to"),
    "logits": (SHARES * 7, "PLACE, y[0]: sums to 7; the shares of an item sum to 1"),
}


@pytest.mark.parametrize("case", LABELS)
def test_a_label_that_cannot_be_used_is_named_with_its_row(case, tmp_path):
    y, message = LABELS[case]
    with pytest.raises(InputError) as error:
        of_labels(tmp_path, y)
    assert str(error.value).startswith(message.replace("PLACE", str(tmp_path / "a.npz")))


@pytest.mark.parametrize(
    ("train_y", "test_y", "message"),
    [
        (Y, [0, 5, 1], "test_y[1]: no item for training has the label '5', only '0', '1', '2'; correct it"),
        (np.array(["a", "b", "c"])[Y], ["a", "b", "d"], "test_y[2]: no item for training has the label 'd'"),
        (SHARES, np.eye(4)[[0, 3, 1]], "test_y[1]: no item for training has the label '3'"),
        (SHARES, [[0.4, 0.3, 0.2, 0.1]] * 3, "test_y: holds shares of 4 classes, and training has 3"),
    ],
)
def test_a_class_that_training_lacks_is_named(train_y, test_y, message, tmp_path):
    file = npz(tmp_path / "a.npz", train_x=X, train_y=train_y, test_x=X[:3], test_y=np.array(test_y))
    with pytest.raises(InputError) as error:
        load(file)
    assert str(error.value).startswith(f"{file}, {message}")


# What is tested on --------------------------------------------------------------------------------------------------


def test_a_fifth_is_for_testing_stratified_and_the_same_in_every_run(tmp_path):
    file = npz(tmp_path / "a.npz", x=X, y=Y)
    published = load(file)
    assert np.bincount(published.test.labels).tolist() == [4, 4, 4]
    assert load(file, seed=7).test.fingerprint == published.test.fingerprint
    assert len(load(file, test_share=0.5).test) == 30
    assert len(load(safetensors(tmp_path / "b.safetensors", x=X, y=Y)).test) == 12


def test_all_of_another_file_is_for_testing_or_its_own_part(tmp_path):
    file, alone = npz(tmp_path / "a.npz", x=X, y=Y), npz(tmp_path / "b.npz", x=X[:9], y=Y[:9])
    both = npz(tmp_path / "c.npz", train_x=X, train_y=Y, test_x=X[5:9], test_y=Y[5:9])
    assert (len(load(file, test_file=str(alone)).train), len(load(file, test_file=str(alone)).test)) == (60, 9)
    assert np.array_equal(load(file, test_file=str(both)).test.fields["vector"], X[5:9])
    assert len(load(both, test_file=str(alone)).test) == 9


GROUPS = np.repeat(np.arange(20), 3)


@pytest.mark.parametrize("groups", [GROUPS, np.array([f"person {n}" for n in GROUPS])])
def test_what_shares_a_group_stays_on_one_side(groups, tmp_path):
    published = load(npz(tmp_path / "a.npz", x=X, y=Y, person=groups), group="person")
    settings = replace(asked("vectors"), val_size=9)
    splits = split(published, settings)
    sides = [{int(GROUPS[(v == X).all(axis=1)][0]) for v in p.fields["vector"]} for p in splits.parts.values()]
    assert sum(map(len, sides)) == len(set().union(*sides)) == 20
    assert [len(part) for part in splits.parts.values()] == [39, 9, 12]
    assert "20 groups by person, each on one side of a split" in published.facts


def test_groups_of_one_side_need_no_others(tmp_path):
    file = npz(tmp_path / "a.npz", train_x=X[:40], train_y=Y[:40], train_person=GROUPS[:40], test_x=X, test_y=Y)
    assert load(file, group="person").groups.tolist() == GROUPS[:40].tolist()
    alone = npz(tmp_path / "b.npz", x=X, y=Y)
    assert len(load(file, group="person", test_file=str(alone)).test) == 60


REFUSED = {
    "no such group": ({}, {"group": "person"}, "dataset.group: PLACE holds no array 'person' or 'train_person'"),
    "a group of all": ({"g": GROUPS * 0}, {"group": "g"}, "dataset.group: leaves nothing to test on, of 60 items"),
    "groups of numbers": ({"g": X}, {"group": "g"}, "PLACE, g: is no list of whole numbers or texts, one for each"),
    "too small a share": ({}, {"test_share": 0.001}, "dataset.test_share: leaves nothing to test on, of 60 items"),
    "a share of all": ({}, {"test_share": 1.0}, "dataset.test_share: must be between 0 and 1, but is 1"),
    "two ways": ({}, {"test_share": 0.3, "test_file": "b.npz"}, "dataset.test_share: says what is tested on, and so"),
    "itself": ({}, {"test_file": "a.npz"}, "dataset.test_file: is dataset.root itself, and would tell of training"),
    "no file": ({}, {"test_file": "b.npz"}, "dataset.test_file: b.npz is not there"),
    "downloads": ({}, {"download": True}, "dataset.download: has no effect with dataset=vectors"),
    "a column": ({}, {"label_column": "y"}, "dataset.label_column: has no effect on PLACE, which is no table"),
    "a delimiter": ({}, {"delimiter": "tab"}, "dataset.delimiter: has no effect on PLACE, which is no table"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_settings_that_do_not_suit_the_file_are_named(case, tmp_path):
    arrays, values, message = REFUSED[case]
    file = npz(tmp_path / "a.npz", x=X, y=Y, **arrays)
    with pytest.raises(InputError) as error:
        load(file, **values)
    assert str(error.value).startswith(message.replace("PLACE", str(file)))


def test_a_share_beside_test_items_and_a_group_on_both_sides_are_refused(tmp_path):
    arrays = {"train_x": X[:30], "train_y": Y[:30], "test_x": X[30:], "test_y": Y[30:]}
    file = npz(tmp_path / "a.npz", **arrays, train_g=GROUPS[:30], test_g=GROUPS[29:59])
    with pytest.raises(InputError, match=r"dataset.test_share: has no effect: .* says what is tested on; leave it out"):
        load(file, test_share=0.2)
    with pytest.raises(InputError, match=r"test_g\[0\]: 9 is in training, too; move it to one side"):
        load(file, group="g")
    arrays = {"train_x": X[:30], "train_y": Y[:30], "val_x": X[30:], "val_y": Y[30:]}
    file = npz(tmp_path / "b.npz", **arrays, train_g=GROUPS[:30], val_g=GROUPS[[30, 29, *range(32, 60)]])
    with pytest.raises(InputError, match=r"val_g\[1\]: 9 is in training, too"):
        load(file, group="g")


def test_parts_of_other_sizes_are_refused(tmp_path):
    file = npz(tmp_path / "a.npz", train_x=X, train_y=Y, test_x=X[:, :3], test_y=Y)
    with pytest.raises(InputError, match="test_x: holds vectors of 3, and training vectors of 4; make them alike"):
        load(file)


def test_a_table_has_what_an_array_has(tmp_path):
    one, other = load(npz(tmp_path / "a.npz", x=X, y=Y)), load(table(tmp_path / "a.csv", X, Y))
    assert one.train.fingerprint == other.train.fingerprint
    assert one.test.fingerprint == other.test.fingerprint
