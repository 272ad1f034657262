"""Vectors and tables of numbers: what is read, and what cannot be used is named with its row or line."""

import numpy as np
import pytest
from owned import load, npz, table, vectors

from sdrun import tasks
from sdrun.errors import InputError

X, Y = vectors()
ROWS = [f"{n},{n % 7}.5,{'good' if n % 2 else 'bad'}" for n in range(20)]


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr(tasks, "_loaded", {})


def written(tmp_path, *rows, header="age,dose,label", name="a.csv"):
    file = tmp_path / name
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f8", "i1", "u2", "i8", "?"])
def test_numbers_of_each_kind_become_float32(kind, tmp_path):
    x = np.arange(240).reshape(60, 4) % 7
    published = load(npz(tmp_path / "a.npz", train_x=x.astype(kind), train_y=Y, test_x=x.astype(kind), test_y=Y))
    assert published.test.fields["vector"].dtype == np.float32
    np.testing.assert_array_equal(published.test.fields["vector"], x.astype(kind))
    assert str(published.item) == "vectors of 4"


def changed(row, value):
    x = X.astype(np.float64)
    x[row, 2] = value
    return x


WRONG = {
    "missing": (changed(31, np.nan), "x[31]: its number 2 is missing (NaN); fill it in, or remove such items"),
    "infinite": (changed(31, -np.inf), "x[31]: its number 2 is infinite, or above 3e38; fill it in"),
    "too large": (changed(31, 1e300), "x[31]: its number 2 is infinite, or above 3e38; fill it in"),
    "numbers": (X[:, 0], "x: holds a number for each item; write vectors: x[:, None]"),
    "images": (X.reshape(60, 2, 2), "x: holds 2x2 numbers for each item; use dataset=arrays for images, or x.reshape("),
    "texts": (X.astype(str), "x: holds 4 <U32; write numbers"),
    "complex": (X * 1j, "x: holds 4 complex64; write numbers"),
    "nothing": (X[:, :0], "x: holds 0 float32; write numbers"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_are_no_vectors_is_named(case, tmp_path, monkeypatch):
    monkeypatch.setattr("sdrun.tasks.vectors.numbers.BATCH", 7)
    x, message = WRONG[case]
    with pytest.raises(InputError) as error:
        load(npz(tmp_path / "a.npz", x=x, y=Y))
    assert str(error.value).startswith(f"{tmp_path / 'a.npz'}, {message}")


def test_a_tables_numbers_are_those_of_all_columns_but_label_and_group(tmp_path):
    rows = [f"{n};p{n // 2};{'good' if n % 2 else 'bad'};1e-3" for n in range(20)]
    file = written(tmp_path, *rows, header="age;person;mood;dose", name="a.txt")
    published = load(file, label_column="mood", group="person", delimiter="semicolon", test_share=0.25)
    assert published.classes == ["bad", "good"]
    together = np.concatenate([part.fields["vector"] for part in (published.train, published.test)])
    assert sorted(map(tuple, together)) == [(n, np.float32(1e-3)) for n in range(20)]
    people = [set(part.fields["vector"][:, 0] // 2) for part in (published.train, published.test)]
    assert not people[0] & people[1]


TABLES = {
    "a text": (
        [*ROWS, "7,high,good"],
        "line 22: 'dose' is 'high', which is no number; write numbers such as 1.5, texts as columns of 0 and 1, or",
    ),
    "a missing one": ([*ROWS, "7, NA,good"], "line 22: 'dose' is missing; fill it in, or remove such rows"),
    "an empty one": ([*ROWS, ",1,good"], "line 22: 'age' is missing; fill it in, or remove such rows"),
    "NaN": ([*ROWS, "nan,1,good"], "line 22: 'age' is missing"),
    "an infinite one": ([*ROWS, "inf,1,good"], "line 22: 'age' is 'inf', which is too large; correct it, or remove"),
    "too large": ([*ROWS, "1,-1e39,good"], "line 22: 'dose' is '-1e39', which is too large"),
    "no label": ([*ROWS, "1,2, "], "line 22: its label is empty; remove such rows"),
    "too few": ([*ROWS, "1,2"], "line 22: its cells are 2, and those of the header 3"),
    "after a line break": ([*ROWS, '1,2,"go\nod"', "x,2,good"], "line 24: 'age' is 'x', which is no number"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_row_that_cannot_be_used_is_named_with_its_line(case, tmp_path):
    rows, message = TABLES[case]
    file = written(tmp_path, *rows)
    with pytest.raises(InputError) as error:
        load(file)
    assert str(error.value).startswith(f"{file}, {message}")


HEADERS = {
    "no label": ("age,dose,mood", {}, "dataset.label_column: PLACE has no column 'label' in its first line"),
    "no group": ("age,dose,label", {"group": "person"}, "dataset.group: PLACE has no column 'person' in its first"),
    "a group of labels": ("age,dose,label", {"group": "label"}, "dataset.group: is label, the column of labels; name"),
    "row numbers": (",dose,label", {}, "PLACE: has a column without a name, such as row numbers; remove it (in pandas"),
    "arrays": ("age,dose,label", {"y": "label"}, "dataset.y: has no effect on the table PLACE, but for dataset.label"),
    "a delimiter": ("age,dose,label", {"delimiter": "ab"}, "dataset.delimiter: is 'ab', but needs one of comma"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_columns_that_are_not_there_are_named(case, tmp_path):
    header, values, message = HEADERS[case]
    file = written(tmp_path, *ROWS, header=header)
    with pytest.raises(InputError) as error:
        load(file, **values)
    assert str(error.value).startswith(message.replace("PLACE", str(file)))


def test_a_table_of_labels_alone_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no column beside its labels; write one number or more for each row"):
        load(written(tmp_path, *(f"{n % 2}" for n in range(9)), header="label"))


def test_columns_of_the_same_name_are_two(tmp_path):
    assert load(written(tmp_path, *ROWS, header="age,age,label")).item.shape == (2,)


def test_a_test_table_has_the_columns_of_training_and_needs_no_groups(tmp_path):
    grouped = [f"p{n // 2},{row}" for n, row in enumerate(ROWS)]
    file = written(tmp_path, *grouped, header="person,age,dose,label")
    other = written(tmp_path, *ROWS[:3], name="b.csv")
    assert len(load(file, group="person", test_file=str(other)).test) == 3
    swapped = written(tmp_path, *ROWS[:3], header="dose,age,label", name="c.csv")
    with pytest.raises(InputError) as error:
        load(file, group="person", test_file=str(swapped))
    told = f"{swapped}: has the columns 'dose', 'age', and training 'age', 'dose'; make them alike"
    assert str(error.value) == told


def test_a_class_that_training_lacks_is_named_with_its_line(tmp_path):
    file, other = table(tmp_path / "a.csv", X, Y), table(tmp_path / "b.csv", X[:3], ["0", "7", "1"])
    with pytest.raises(InputError) as error:
        load(file, test_file=str(other))
    assert str(error.value).startswith(f"{other}, line 3: no item for training has the label '7', only '0', '1', '2'")
