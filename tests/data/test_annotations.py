"""Labels that several people gave to the same items."""

import numpy as np
import pytest

from helpers import few_digits, settings
from sdrun.data.consensus import Annotations, agreed, classes_of, dawid_skene
from sdrun.errors import InputError
from sdrun.settings import ConsensusKind
from sdrun.tasks import load

PATIENTS = """
111 1 1 1 1  333 4 3 3 4  112 2 1 2 2  222 3 1 2 1  222 3 2 2 2  222 3 3 2 2  122 2 1 1 1  333 3 4 3 3  222 2 2 2 3
232 2 2 2 3  444 4 4 4 4  222 3 3 4 3  111 1 1 1 1  222 3 2 1 2  121 1 1 1 1  111 2 1 1 1  111 1 1 1 1  111 1 1 1 1
222 2 2 2 1  222 1 3 2 2  222 2 2 2 2  222 2 2 2 1  222 3 2 2 2  221 2 2 2 2  111 1 1 1 1  111 1 1 1 1  232 2 2 2 2
111 1 1 1 1  111 1 1 1 1  112 1 1 2 1  111 1 1 1 1  333 3 2 3 3  111 1 1 1 1  222 2 2 2 2  222 3 2 3 2  433 4 3 4 3
221 2 2 3 2  232 3 2 3 3  333 3 4 3 2  111 1 1 1 1  111 1 1 1 1  121 2 1 1 1  232 2 2 2 2  121 1 1 1 1  222 2 2 2 2
"""
"""What five anaesthetists said of 45 patients, the first of them three times (Dawid and Skene 1979, table 1)."""


def anaesthetists():
    rows = [patient.split() for line in PATIENTS.split("\n") for patient in line.split("  ") if patient]
    said = [(i, j, int(c) - 1) for i, row in enumerate(rows) for j, cell in enumerate(row) for c in cell]
    return Annotations(*np.array(said).T, np.array([*"abcde"]))


def test_classes_and_habits_are_those_of_dawid_and_skene():
    crowd = dawid_skene(anaesthetists(), 45, 4, shared=0)
    assert crowd.classes.mean(axis=0) == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.005)
    first = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    assert crowd.habits[0] == pytest.approx(np.array(first), abs=0.005)
    assert crowd.reliability.argmax() == 3


def test_with_few_labels_of_each_what_all_have_in_common_counts():
    """Five people who labelled all, and twenty of three labels each, who are not taken for always right or wrong."""
    random = np.random.default_rng(0)
    items = np.concatenate([np.repeat(np.arange(60), 5), np.arange(60)])
    annotators = np.concatenate([np.tile(np.arange(5), 60), 5 + np.arange(60) // 3])
    truth = random.integers(0, 2, 60)[items]
    labels = np.where(random.random(360) < 0.8, truth, 1 - truth)
    annotations = Annotations(items, annotators, labels, np.arange(25))
    free, drawn = (dawid_skene(annotations, 60, 2, shared).habits[5:] for shared in (0, 50))
    assert free.max() > 0.999
    right = drawn.diagonal(axis1=1, axis2=2)
    assert 0.7 < right.min() < right.max() < 0.95


def test_what_is_known_before_decides_where_annotators_do_not():
    annotations = Annotations(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0, 1, 1]), np.array(["a", "b"]))
    habits = np.array([[[0.8, 0.2], [0.2, 0.8]], [[0.8, 0.2], [0.2, 0.8]]])
    before = np.array([[0.1, 0.9], [0.5, 0.5]])
    assert classes_of(annotations, habits, before) == pytest.approx(np.array([[0.1, 0.9], [0.2, 0.8]]))


def test_a_majority_wins_and_ties_are_drawn():
    items = np.repeat(np.arange(400), 2)
    labels = np.where(np.arange(800) < 400, np.tile([0, 1], 400), 2)
    annotations = Annotations(items, np.tile([0, 1], 400), labels, np.array(["a", "b"]))
    one, same, other = (
        agreed(annotations, ConsensusKind.majority, np.zeros(400, dtype=int), 3, seed) for seed in (0, 0, 1)
    )
    assert (one[200:] == 2).all()
    assert 70 < (one[:200] == 0).sum() < 130
    assert set(one[:200]) == {0, 1}
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def written(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return f"dataset.annotations={path}"


def test_labels_are_the_consensus_and_of_all_other_items_as_they_were(tmp_path):
    before = few_digits()
    rows, label = before.names[:2], before.train.labels[:2]
    said = [f"{rows[0]},ann,{(label[0] + 1) % 10}", f"{rows[0]},bob,{(label[0] + 1) % 10}", f"{rows[0]},eve,{label[0]}"]
    file = written(tmp_path / "a.csv", "row,annotator,label", *said, f"{rows[1]},=ann,{label[1]}")
    after = few_digits(file)
    place = int(np.flatnonzero(after.names == rows[0])[0])
    assert after.train.labels[place] == after.true_labels[place] == (label[0] + 1) % 10
    assert set(after.annotations.names) == {"ann", "bob", "eve", "=ann"}
    assert after.names[after.annotations.items].tolist() == [rows[0]] * 3 + [rows[1]]
    published = load(settings("dataset=digits").dataset).train.labels[after.names]
    assert np.flatnonzero(after.train.labels != published).tolist() == [place]
    assert after.facts[-1] == "4 labels by 4 annotators; one of each item by majority"


def test_labels_of_items_for_testing_are_left_out_and_counted(tmp_path):
    row, label = few_digits().names[0], few_digits().train.labels[0]
    after = few_digits(
        written(tmp_path / "a.csv", "row,annotator,label", f"{row},ann,{label}", "9999,ann,0", "9998,bob,1")
    )
    assert after.facts[-1].endswith("by majority; 2 of items that are not for training are left out")
    assert set(after.annotations.names) == {"ann"}


def test_what_a_person_put_right_is_certain_whatever_annotators_say(tmp_path):
    row, label = few_digits().names[0], few_digits().train.labels[0]
    wrong, right = (label + 1) % 10, (label + 2) % 10
    file = written(tmp_path / "a.csv", "row,annotator,label", f"{row},ann,{wrong}", f"{row},bob,{wrong}")
    (tmp_path / "b.csv").write_text(f"row,label\n{row},{right}\n")
    after = few_digits(file, f"dataset.corrections={tmp_path}/b.csv")
    place = int(np.flatnonzero(after.names == row)[0])
    assert after.train.labels[place] == right
    assert np.flatnonzero(after.certain).tolist() == [place]
    assert after.annotations.labels.tolist() == [wrong, wrong]


def test_other_words_of_the_same_consensus_are_other_data(tmp_path):
    row, label = few_digits().names[0], few_digits().train.labels[0]
    other = (label + 1) % 10
    lines = [f"{row},ann,{label}", f"{row},bob,{label}"]
    one = few_digits(written(tmp_path / "a.csv", "row,annotator,label", *lines, f"{row},eve,{label}"))
    two = few_digits(written(tmp_path / "b.csv", "row,annotator,label", *lines, f"{row},eve,{other}"))
    assert one.train.fingerprint == two.train.fingerprint
    assert one.fingerprints() != two.fingerprints()
    assert "annotations" not in few_digits().fingerprints()


def test_classes_of_one_task_are_not_taken_for_those_of_another(tmp_path):
    file = written(tmp_path / "a.csv", "row,annotator,label", "3,ann,0")
    with pytest.raises(InputError, match="dataset.annotations: changes classes of one task to those of another"):
        few_digits(file, "dataset/stream=classes")


REFUSED = {
    ("row,annotator,label", "3,ann,zero"): "line 2: 'zero' is no class, but these are: '0', '1'",
    ("row,annotator,label", "99999,ann,0"): "dataset.annotations: .*a.csv has no row of the 1,437 items for training",
    ("row,annotator,label", "3, ,0"): "line 2: has no annotator; write it, or remove the row",
    ("row,annotator,label", "3,ann,"): "line 2: has no label; write it, or remove the row",
    ("row,annotator,label",): "has no rows below its header",
    ("row,label", "3,0"): "dataset.annotations: .* has no column 'annotator'",
    ("file,annotator,label", "a.png,ann,0"): "dataset.annotations: .* has no column 'row'",
}


@pytest.mark.parametrize("lines", REFUSED)
def test_a_table_that_does_not_match_is_refused_by_its_line(tmp_path, lines):
    with pytest.raises(InputError, match=REFUSED[lines]):
        few_digits(written(tmp_path / "a.csv", *lines))


SETTINGS = {
    ("dataset.consensus=dawid_skene",): "dataset.consensus: needs several annotators, by",
    (
        "dataset.annotations=a.csv",
        "dataset.label_noise=0.1",
    ): "dataset.annotations: and wrong labels on purpose each",
    ("dataset=vader", "dataset.raters=3"): "dataset.raters: has no effect with dataset.labels_from=crowd",
    ("dataset=vader", "dataset.labels_from=rater", "dataset.raters=0"): "dataset.raters: must be at least 1",
    (
        "dataset=vader",
        "dataset.labels_from=rater",
        "dataset.annotations=a.csv",
    ): "dataset.annotations: and dataset.labels",
}


@pytest.mark.parametrize("words", SETTINGS)
def test_settings_that_do_not_go_together_are_refused(words):
    with pytest.raises(InputError, match=SETTINGS[words]):
        settings(*words)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"dataset.annotations: .*none.csv is not there"):
        few_digits(f"dataset.annotations={tmp_path}/none.csv")
