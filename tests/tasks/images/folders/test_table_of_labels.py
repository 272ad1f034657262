"""A table says class, part and group of images; and a folder may be a class whatever it is called."""

import re

import numpy as np
import pytest
from pictured import images, load, pixels, save

from sdrun.errors import InputError

NUM = 24


@pytest.fixture
def root(tmp_path):
    for number in range(NUM):
        save(tmp_path / "mine" / "deep" / f"{number}.png", pixels(number))
    return tmp_path / "mine"


def written(root, header, *rows):
    file = root.parent / "labels.csv"
    file.write_text("\n".join([header, *rows]))
    return str(file)


def plain(num=NUM):
    return [f"deep/{number}.png,{'even' if number % 2 == 0 else 'odd'}" for number in range(num)]


def test_it_says_the_class_and_images_that_it_leaves_out_are_told(root, tmp_path):
    file = written(root, "path,label", *plain(20))
    published = load(root, tmp_path / "store", labels=file)
    assert published.classes == ["even", "odd"]
    assert (len(published.train), len(published.test)) == (16, 4)
    assert published.facts == ("left out: 4 images without a class",)


def test_it_may_say_part_and_group(root, tmp_path):
    parts = ["train"] * 16 + ["val"] * 4 + ["test"] * 4
    rows = [f"{row},{part},{number // 4}" for number, (row, part) in enumerate(zip(plain(), parts, strict=True))]
    file = written(root, "path,label,part,writer", *rows)
    published = load(root, tmp_path / "store", labels=file, group="writer")
    assert (len(published.train), len(published.test)) == (20, 4)
    assert len(published.validation) == 4
    assert len(np.unique(published.groups)) == 5


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("path,label", ["deep/99.png,a"], "line 2: 'deep/99.png' is no image below ROOT; correct it, or remove such"),
        ("path,label", [*plain(), "./deep/1.png,odd"], f"line {NUM + 2}: './deep/1.png' is there a second time"),
        ("path,label", ["deep/1.png, "], "line 2: its label is empty; remove such rows"),
        ("path,label,part", ["deep/1.png,a,trial"], "line 2: its part is 'trial'; write train, val or test"),
        ("path,class", plain(), "dataset.labels: .* has no column 'label' in its first line"),
        ("path,label,part", [f"{row},test" for row in plain()], "dataset.root: has no images to train on; write train"),
        ("path,label", ["deep/1.png,a", "deep/2.png,a"], "all images are of the class 'a'"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(header, rows, message, root, tmp_path):
    with pytest.raises(InputError, match=message.replace("ROOT", re.escape(str(root)))):
        load(root, tmp_path / "store", labels=written(root, header, *rows))


def test_a_group_that_is_lacking_is_named(root, tmp_path):
    file = written(root, "path,label,writer", *(f"{row},{number or ''}" for number, row in enumerate(plain())))
    with pytest.raises(InputError, match=r"dataset.group: deep/0.png has no group in the table"):
        load(root, tmp_path / "store", labels=file, group="writer")


def test_a_class_may_be_called_train(tmp_path):
    published = load(images(tmp_path / "mine", "car", "bus", "train"), tmp_path / "store")
    assert published.classes == ["bus", "car", "train"]


def test_a_channel_that_is_the_same_everywhere_is_not_blown_up(tmp_path):
    for number in range(20):
        flat = pixels(number)
        flat[..., 2] = 7
        save(tmp_path / "mine" / "ab"[number % 2] / f"{number}.png", flat)
    assert load(tmp_path / "mine", tmp_path / "store").measured["std"][2] == 1
