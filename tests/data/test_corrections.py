"""Labels that a person has put right, in a table."""

import numpy as np
import pytest
from owned import npz, table, vectors
from pictured import images

from helpers import few_digits, settings
from sdrun.data.by_item import meant, safe
from sdrun.data.splits import split
from sdrun.errors import InputError
from sdrun.tasks import load, measured


def written(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return f"dataset.corrections={path}"


def test_labels_become_what_a_person_says_and_all_else_stays(tmp_path):
    before = few_digits()
    row, given = int(before.names[3]), before.train.labels[3]
    held_out = next(row for row in range(1000) if row not in before.names and _is_validation(before, row))
    said = written(tmp_path / "a.csv", "row,label,note", f"{row},{(given + 1) % 10},blurred", f"{held_out},7,", "5,,")
    after = few_digits(said)
    assert after.train.labels[3] == after.true_labels[3] == (given + 1) % 10
    assert np.delete(after.train.labels, 3).tolist() == np.delete(before.train.labels, 3).tolist()
    assert (after.validation.labels != before.validation.labels).sum() <= 1
    assert (after.names == before.names).all()
    assert after.facts[-1] == f"2 labels by {tmp_path}/a.csv; 1 for training are others than those given"


def _is_validation(before, row):
    image = load(settings("dataset=digits").dataset).train.fields["image"][row]
    return any((image == other).all() for other in before.validation.fields["image"])


def test_what_is_wrong_on_purpose_stays_known_where_some_of_it_is_put_right(tmp_path):
    noise = "dataset.label_noise=0.4"
    before = few_digits(noise)
    place = int(np.flatnonzero(before.train.labels != before.true_labels)[0])
    line = f"{before.names[place]},{before.train.labels[place]},{before.true_labels[place]}"
    after = few_digits(noise, written(tmp_path / "a.csv", "row,given,label", line))
    assert (after.true_labels == before.true_labels).all()
    wrong = (after.train.labels != after.true_labels).sum()
    assert wrong == (before.train.labels != before.true_labels).sum() - 1


REFUSED = {
    ("row,label", "3,zero"): "line 2: 'zero' is no class, but these are: '0', '1'",
    ("row,label", "99999,0"): "line 2: row '99999' is none of the 1,437 items for training",
    ("row,label", "3,0", "3,1"): "line 3: row '3' is there twice; remove one",
    ("row,label", "3,", "4,"): "dataset.corrections: .* has no label in any row; write the classes that you know",
    ("file,label", "a.png,0"): "dataset.corrections: .* has no column 'row'",
    ("row,proposed", "3,0"): "dataset.corrections_column: .* has no column 'label'",
    ("row,given,label", "ROW,OTHER,0"): "line 2: says '.' is given, but it is '.'; it is of other data, or of another",
}


@pytest.mark.parametrize("lines", REFUSED)
def test_a_table_that_does_not_match_is_refused_by_its_line(tmp_path, lines):
    before = few_digits()
    row, other = before.names[0], (before.train.labels[0] + 1) % 10
    said = written(tmp_path / "a.csv", *(line.replace("ROW", str(row)).replace("OTHER", str(other)) for line in lines))
    with pytest.raises(InputError, match=REFUSED[lines]):
        few_digits(said)


def test_a_column_of_no_file_has_no_effect_and_is_refused():
    with pytest.raises(InputError, match="dataset.corrections_column: has no effect without dataset.corrections"):
        settings("dataset.corrections_column=proposed")


def test_items_for_validation_have_rows_of_their_own(tmp_path):
    x, y = vectors(80)
    file = npz(tmp_path / "a.npz", train_x=x[:60], train_y=y[:60], val_x=x[60:], val_y=y[60:])
    published = load(settings("dataset=vectors", f"dataset.root={file}").dataset)
    rows = published.called.tolist()
    assert len(set(rows)) == len(rows)
    assert sorted(rows)[0] >= 0
    assert np.allclose(published.train.numbers("vector"), x[rows])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"dataset.corrections: .*none.csv is not there"):
        few_digits(f"dataset.corrections={tmp_path}/none.csv")


def test_images_of_folders_are_told_by_their_files(tmp_path):
    images(tmp_path / "pets", "cat", "dog")
    words = f"dataset.root={tmp_path}/pets", "dataset.val_size=4", "dataset.cache=off"
    chosen = settings("dataset=image_folder", *words).dataset
    published = load(chosen)
    chosen = measured(chosen, published)
    before = split(published, chosen)
    assert before.named == "file"
    assert all((tmp_path / "pets" / name).is_file() for name in before.names)
    assert all(before.classes[label] in name for name, label in zip(before.names, before.train.labels, strict=True))


def test_rows_of_tables_are_told_by_their_lines(tmp_path):
    file = table(tmp_path / "a.csv", *vectors())
    chosen = settings("dataset=vectors", f"dataset.root={file}").dataset
    published = load(chosen)
    before = split(published, measured(chosen, published))
    assert before.named == "line"
    written_lines = file.read_text().splitlines()
    labels = [written_lines[line - 1].split(",") for line in before.names]
    assert all(before.classes[label] in cells for cells, label in zip(labels, before.train.labels, strict=True))


@pytest.mark.parametrize("cell", ["=1+1", "-1", "@SUM(A1)", "+a", "shirt", "'quoted'", "'=1", ""])
def test_no_cell_is_a_formula_and_all_are_read_as_they_were(cell):
    assert not safe(cell).startswith(("=", "+", "-", "@"))
    assert meant(safe(cell)) == cell
