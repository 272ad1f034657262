"""Tables of texts as they come: what is read, and what is said of those that cannot be."""

import gzip
import re
import tracemalloc

import numpy as np
import pytest
from tasks.text.tables import ROWS, table, written

from helpers import settings
from sdrun import tasks
from sdrun.data.splits import split
from sdrun.errors import InputError


def load(path, *overrides):
    return tasks.load(settings("dataset=text_csv", f"dataset.root={path}", *overrides).dataset)


def texts(part):
    return list(part.fields["text"])


def test_a_fifth_is_for_testing_stratified_and_the_same_whatever_the_seed(tmp_path):
    file = written(tmp_path, table())
    published = load(file)
    assert published.classes == ["bad", "good"]
    assert np.bincount(published.test.labels).tolist() == [4, 4]
    assert sorted([*texts(published.train), *texts(published.test)]) == sorted(row.split(",")[0] for row in ROWS)
    assert all(
        ("good" in text) == label for text, label in zip(texts(published.test), published.test.labels, strict=True)
    )
    again = load(file, "seed=7", "dataset.test_share=0.2")
    assert again.test.fingerprint == published.test.fingerprint
    assert len(load(file, "dataset.test_share=0.5").test) == 20


def test_a_column_says_what_is_for_testing(tmp_path):
    rows = [f"{row},{'test' if n < 10 else 'train'}" for n, row in enumerate(ROWS)]
    published = load(written(tmp_path, table(*rows, header="text,label,part")), "dataset.test_column=part")
    assert texts(published.test) == [row.split(",")[0] for row in ROWS[:10]]


def test_another_table_is_for_testing(tmp_path):
    file = written(tmp_path, table())
    other = written(tmp_path, table("the very best,good", "no,bad"), "other.csv")
    published = load(file, f"dataset.test_file={other}")
    assert texts(published.test) == ["the very best", "no"]
    assert published.test.labels.tolist() == [1, 0]
    assert len(published.train) == 40


@pytest.mark.parametrize("mark", ["\N{BYTE ORDER MARK}", ""])
@pytest.mark.parametrize(("delimiter", "asked"), [(",", "comma"), (";", ";"), ("\t", "tab"), ("|", "bar")])
def test_quotes_line_breaks_columns_and_delimiters_are_those_of_the_standard(mark, delimiter, asked, tmp_path):
    odd = f'"she said ""so{delimiter} so""\r\nand left"'
    rows = [delimiter.join(["1", odd, "é"]), *(delimiter.join(["2", f"text {n}", "éa"]) for n in range(9))] * 2
    text = mark + "\r\n".join([delimiter.join(["id", " review ", "mood"]), *rows, "", ""])
    columns = ("dataset.text_column=review", "dataset.label_column=mood", f"dataset.delimiter='{asked}'")
    published = load(written(tmp_path, text), *columns, "dataset.test_share=0.1")
    assert published.classes == ["é", "éa"]
    assert f'she said "so{delimiter} so"\r\nand left' in texts(published.train)


def test_a_long_text_is_no_broken_one(tmp_path):
    long = "word " * 40_000
    assert texts(load(written(tmp_path, table(*ROWS, f"{long},good"))).train)[-1] == long


def test_a_label_of_one_text_is_for_training(tmp_path):
    published = load(written(tmp_path, table(*ROWS, *(f"odd {n},odd {n}" for n in range(5)))))
    assert len(published.classes) == 7
    assert set(published.test.labels) == {0, 1}


def test_swapped_columns_are_refused_in_little_memory(tmp_path):
    rows = [f"good,{n} {'long ' * 20}" for n in range(2000)]
    rows.append(f"good,{'long ' * 20_000}")
    file = written(tmp_path, table(*rows))
    tracemalloc.start()
    with pytest.raises(InputError, match="dataset.label_column: .* has 2001 different labels for 2001 texts"):
        load(file)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_numbers_as_labels_are_in_order_of_size(tmp_path):
    rows = [f"text {n},{(10, 9, -1)[n % 3]}" for n in range(30)]
    assert load(written(tmp_path, table(*rows))).classes == ["-1", "9", "10"]


BROKEN = {
    "missing column": (
        table(header="text,mood"),
        "dataset.label_column: FILE has no column 'label' in its first line, the header, only 'text', 'mood'",
    ),
    "another delimiter": (
        table().replace(",", ";"),
        "dataset.delimiter: FILE has cells apart by a semicolon; set dataset.delimiter=semicolon",
    ),
    "tabs": (table().replace(",", "\t"), "dataset.delimiter: FILE has cells apart by a tab; set dataset.delimiter=tab"),
    "a column twice": (table(header="text,text"), "dataset.text_column: FILE has the column 'text' twice"),
    "open quotes": (table('"a good day,good', *ROWS), "FILE, line 2: quotation marks are broken"),
    "text after quotes": (table(*ROWS[:3], '"a" b,good'), "FILE, line 5: quotation marks are broken"),
    "a comma too many": (
        table(*ROWS[:3], "well, good,good"),
        "FILE, line 5: its cells are 3, and those of the header 2",
    ),
    "a cell too few": (table(*ROWS[:3], "well"), "FILE, line 5: its cells are 1, and those of the header 2"),
    "empty text": (table(*ROWS[:3], " ,good"), "FILE, line 5: its text is empty; remove such rows"),
    "nothing to see": (table(*ROWS[:3], "\u200b\x00,good"), "FILE, line 5: its text is empty; remove such rows"),
    "empty rows": (table(*ROWS, ",", "  ", " , "), None),
    "empty label": (table(*ROWS[:3], "well,"), "FILE, line 5: its label is empty; remove such rows"),
    "one class": (table(*(f"text {n},good" for n in range(9))), "FILE: all texts have the label 'good'; a classifier"),
    "no rows": (table()[: len("text,label\n")], "FILE: has no rows below its header"),
    "nothing": ("", "FILE: is empty"),
    "no classes": (
        table(*(f"text {n},{n / 7}" for n in range(99))),
        "dataset.label_column: FILE has 99 different labels",
    ),
    "a part that is none": (None, "FILE, line 3: part is 'val'; write train or test, or remove such rows"),
    "one number twice": (
        table(*(f"text {n},{(1, 2, '1.0')[n % 3]}" for n in range(9))),
        "FILE: has the labels '1' and",
    ),
    "labels of one text": (table(*ROWS, *(f"odd {n},odd {n}" for n in range(5))), None),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_used_is_named_with_its_line(case, tmp_path, called):
    content, message = BROKEN[case]
    file = written(
        tmp_path, table("a,good,train", "b,bad, val", header="text,label,part") if content is None else content
    )
    more = () if content is not None else ("dataset.test_column=part",)
    before = sorted(tmp_path.rglob("*"))
    code, text = called(
        "dataset=text_csv",
        f"dataset.root={file}",
        "dataset.val_size=4",
        "method=supervised",
        "optim.max_steps=1",
        *more,
    )
    if message is None:
        assert code == 0, text
        return
    assert code == 2
    assert text.startswith("sdrun: " + message.replace("FILE", str(file))), text
    assert text.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("encoding", "message"),
    [("latin-1", "line 3: is no UTF-8; convert it"), ("utf-16", "is written as UTF-16; save it as UTF-8")],
)
def test_another_encoding_is_named(encoding, message, tmp_path):
    file = written(tmp_path, table(ROWS[0], "Größe,good", *ROWS), encoding=encoding)
    with pytest.raises(InputError, match=message) as error:
        load(file)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: b"PK\x03\x04" + data])
def test_a_packed_table_is_named(pack, tmp_path):
    file = tmp_path / "table.csv"
    file.write_bytes(pack(table().encode()))
    with pytest.raises(InputError, match="table.csv: is packed, by gzip or zip; unpack it"):
        load(file)


def test_a_file_that_the_system_refuses_is_named_with_its_key(tmp_path):
    file = written(tmp_path, table())
    with pytest.raises(InputError, match=r"dataset.test_file: .*File name too long"):
        load(file, f"dataset.test_file={'x' * 300}.csv")


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(InputError, match=f"dataset.root: {tmp_path} is no file; name a table"):
        load(tmp_path)


def test_what_is_trained_on_is_not_tested_on(tmp_path):
    file = written(tmp_path, table())
    (tmp_path / "link.csv").symlink_to(file)
    for same in (file, tmp_path / "link.csv"):
        with pytest.raises(InputError, match="dataset.test_file: is dataset.root itself, and would tell of training"):
            load(file, f"dataset.test_file={same}")


def test_names_in_messages_are_few_and_short(tmp_path):
    file = written(tmp_path, table(header=",".join(f"{n} {'long ' * 50}" for n in range(30))))
    with pytest.raises(InputError) as error:
        load(file)
    assert len(str(error.value)) < 700


def test_a_label_that_training_lacks_is_named(tmp_path):
    file, other = written(tmp_path, table()), written(tmp_path, table("well,good", "so so,medium"), "other.csv")
    told = f"{other}, line 3: no training text has the label 'medium', only 'bad', 'good'"
    with pytest.raises(InputError, match=re.escape(told)):
        load(file, f"dataset.test_file={other}")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ((), "dataset.root: is missing; name the table"),
        (("dataset.root=nowhere.csv",), "dataset.root: nowhere.csv is not there; name a table: dataset.root=FILE.csv"),
        (("dataset.test_share=1.5",), "dataset.test_share: must be between 0 and 1, but is 1.5"),
        (
            ("dataset.delimiter=ab",),
            "dataset.delimiter: is 'ab', but needs one of comma, semicolon, tab, bar, or another character",
        ),
        (("dataset.test_share=0.1", "dataset.test_column=part"), "dataset.test_share: says what is tested on, and so"),
        (
            ("dataset.labels_from=crowd",),
            "dataset.labels_from: has no effect with dataset=text_csv; it is a setting of",
        ),
        (("dataset.views.weak.drop=2",), "dataset.views.weak.drop: must be between 0 and 1, but is 2"),
        (("dataset.download=true",), "dataset.download: has no effect with dataset=text_csv"),
        (("dataset.crop=1",), "dataset.crop: unknown key"),
    ],
)
def test_settings_that_make_no_sense_are_named(overrides, message, tmp_path):
    with pytest.raises(InputError, match=re.escape(message)):
        tasks.load(settings("dataset=text_csv", *overrides).dataset)


def test_what_it_keeps_of_texts_is_small_and_its_fingerprint_is_of_content(tmp_path):
    rows = [f"a text of some words number {n},{n % 2}" for n in range(1000)]
    published = load(written(tmp_path, table(*rows)))
    column = published.train.fields["text"]
    assert len(column.tobytes()) < 50 * len(column)
    same = load(written(tmp_path, table(*rows), "elsewhere.csv"))
    other = load(written(tmp_path, table(*rows[:-1], "a text of some words number x,1"), "third.csv"))
    assert same.train.fingerprint == published.train.fingerprint
    assert (other.train.fingerprint, other.test.fingerprint) != (same.train.fingerprint, same.test.fingerprint)


def test_splits_take_texts_with_their_labels(tmp_path):
    asked = settings("dataset=text_csv", f"dataset.root={written(tmp_path, table())}", "dataset.val_size=8").dataset
    splits = split(tasks.load(asked), asked)
    for part in splits.parts.values():
        assert all(("good" in text) == label for text, label in zip(texts(part), part.labels, strict=True))
