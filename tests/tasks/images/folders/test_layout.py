"""Folders say class and part; images that differ are brought to one size; what cannot be meant is refused."""

import re
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from pictured import asked, images, load, pixels, save, shown
from PIL import Image

from sdrun import tasks
from sdrun.data.splits import split
from sdrun.errors import InputError
from sdrun.tasks import measured
from sdrun.tasks.images.folders.decoding import header
from sdrun.tasks.images.sources.image_folder import OnBad


@pytest.fixture
def read(tmp_path):
    """``load`` with a store of the test's own."""
    return lambda root, **values: load(root, tmp_path / "store", **values)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "mine"


def parts(published):
    return len(published.train), len(published.test)


def is_test(published, root, path):
    """Whether the file is among those for testing; it is in one part alone."""
    digest = header(root / path).digest
    train, test = ([bytes(own) for own in part.fields["image"].digests] for part in (published.train, published.test))
    assert (digest in train) != (digest in test)
    return digest in test


def test_a_folder_is_a_class_and_a_fifth_is_tested_on(root, read):
    published = read(images(root, "dog", "cat", "a bird"))
    assert published.classes == ["a bird", "cat", "dog"]
    assert parts(published) == (24, 6)
    assert np.bincount(published.test.labels).tolist() == [2, 2, 2]
    assert str(published.item) == "images of 3x8x8"
    assert published.validation is None
    assert published.facts == ()


def test_pixels_and_labels_belong_together(root, read):
    published = read(images(root, "dark", "bright"))
    for part in ("train", "test"):
        means = shown(published, part).reshape(len(published.parts[part]), -1).mean(axis=1)
        assert ((means < 127) == (published.parts[part].labels == published.classes.index("dark"))).all()


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "valid", "Testing"), ("train", "dev", "test")]
)
def test_folders_may_say_the_parts(names, root, read):
    for number, name in enumerate(names):
        images(root / name, "cat", "dog", num=9 - 2 * number, first=100 * number)
    published = read(root)
    assert published.classes == ["cat", "dog"]
    assert parts(published) == (18 + 14, 10)
    settings = measured(asked(), published)
    assert settings.val_size == 14
    splits = split(published, settings)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (18, 14, 10)
    held_out = {bytes(digest) for digest in splits.validation.fields["image"].digests}
    assert held_out == {header(file).digest for file in (root / names[1]).rglob("*.png")}


def test_only_training_and_testing(root, read):
    images(root / "train", "cat", "dog", num=20)
    images(root / "test", "cat", "dog", num=3, first=100)
    published = read(root)
    assert parts(published) == (40, 6)
    assert published.validation is None
    assert measured(asked(), published).val_size == 4


def test_where_nothing_is_for_testing_the_validation_folder_is(root, read):
    images(root / "train", "cat", "dog")
    images(root / "val", "cat", "dog", num=3, first=100)
    published = read(root)
    assert parts(published) == (20, 6)
    assert published.validation is None
    assert published.facts == ("tested on the folder for validation, as there is none for testing",)


def test_classes_may_be_called_as_parts_are(root, read):
    published = read(images(root, "val", "test"))
    assert published.classes == ["test", "val"]
    assert parts(published) == (16, 4)


def test_files_below_a_class_are_its_own(root, read):
    images(root, "cat", "dog")
    save(root / "cat" / "2024" / "june" / "x.png", pixels(77))
    assert np.bincount(np.concatenate([read(root).train.labels, read(root).test.labels])).tolist() == [11, 10]


def test_what_is_left_out_is_counted(root, read):
    images(root, "cat", "dog")
    save(root / "cover.png", pixels(9))
    (root / "README.md").write_text("x")
    assert read(root).facts == ("left out: 1 images without a class, 1 other files",)


def test_images_beside_the_parts_are_counted(root, read):
    images(root / "train", "cat", "dog")
    images(root / "test", "cat", "dog", first=100)
    images(root / "other", "cat", num=2, first=200)
    save(root / "train" / "cover.png", pixels(9))
    published = read(root)
    assert published.facts == ("left out: 3 images without a class",)
    assert parts(published) == (20, 20)


def nothing(root):
    root.mkdir()


def clash(root):
    images(root, "Cat", "cat", "dog")


def strange(root):
    images(root / "train", "cat", "dog")
    images(root / "test", "cat", "dog", "owl", first=100)


REFUSED = {
    "no images": (nothing, "dataset.root: ROOT holds no images; a folder of it is a class, and its files are images"),
    "no class": (
        lambda root: save(root / "a.png", pixels(0)),
        "dataset.root: ROOT holds images, but no folder of a class; put those of a class into a folder of its name, "
        "or name a table by dataset.labels=FILE.csv",
    ),
    "one class": (
        lambda root: images(root, "cat"),
        "dataset.root: all images are of the class 'cat'; name a folder that holds two or more",
    ),
    "one class for training": (
        lambda root: (images(root / "train", "cat"), images(root / "test", "cat", "dog", first=50)),
        "dataset.root: all images are of the class 'cat'; name a folder that holds two or more",
    ),
    "capital letters": (
        clash,
        "dataset.root: holds the classes 'Cat' and 'cat', the same but for capital letters; rename one",
    ),
    "a class that is not trained": (
        strange,
        "ROOT/test/owl/000.png: no training image is of its class 'owl'; remove such folders",
    ),
    "only a training folder": (
        lambda root: images(root / "train", "cat", "dog"),
        "dataset.root: ROOT has a folder for training and none for testing; name the training folder itself",
    ),
    "a single image each": (
        lambda root: images(root, "cat", "dog", num=1),
        "dataset.test_share: leaves nothing to test on, of 2 images; see dataset.test_root",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learned_is_refused(case, root, read):
    make, told = REFUSED[case]
    make(root)
    with pytest.raises(InputError) as error:
        read(root)
    assert str(error.value) == told.replace("ROOT", str(root))


def test_no_root_is_named():
    with pytest.raises(InputError, match="^dataset.root: is missing; name the folder: dataset.root=FOLDER$"):
        tasks.load(asked())


def test_the_only_image_of_a_class_is_trained_on(root, read):
    images(root, "cat", "dog")
    images(root, "owl", num=1, first=500)
    published = read(root)
    assert (published.train.labels == 2).sum() == 1
    assert not (published.test.labels == 2).any()


def bad(root):
    images(root, "cat", "dog")
    (root / "cat" / "empty.png").write_bytes(b"")
    whole = save(root / "dog" / "half.png", pixels(1)).read_bytes()
    (root / "dog" / "half.png").write_bytes(whole[: len(whole) // 2])
    return root


def test_a_bad_file_stops_and_is_named(root, read):
    with pytest.raises(InputError) as error:
        read(bad(root), size=8)
    way = "mend or remove them, or set dataset.on_bad=skip"
    assert str(error.value) == f"dataset.on_bad: 1 of 22 images cannot be used: {root}/cat/empty.png is empty; {way}"
    (root / "cat" / "empty.png").unlink()
    for _ in range(2):  # the second time from the cache
        with pytest.raises(
            InputError, match=rf"1 of 21 images cannot be used: {root}/dog/half.png is broken \(.*; mend"
        ):
            read(root, size=8)


@pytest.mark.parametrize("cache", ["auto", "off"])
def test_bad_files_are_skipped_and_said(cache, root, read, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    clean = read(images(tmp_path / "clean", "cat", "dog"))
    for _ in range(2):
        published = read(bad(root), size=8, on_bad=OnBad.skip, cache=cache)
        first, second = published.facts
        assert first == f"skipped: 1 of 22 images cannot be used: {root}/cat/empty.png is empty"
        assert second.startswith(f"skipped: 1 of 21 images cannot be used: {root}/dog/half.png is broken (")
        assert published.train.fingerprint == clean.train.fingerprint
        np.testing.assert_array_equal(shown(published), shown(clean))
        assert published.measured == clean.measured


@pytest.mark.parametrize("place", [b"\x00", b"\xff"])
def test_wherever_a_broken_image_stands_the_others_are_as_they_are(place, root, read):
    """Images are kept in the order of their digests."""
    images(root, "cat", "dog", num=3)
    file = save(root / "dog" / "half.png", pixels(1))
    half, number = file.read_bytes()[:150], 0
    while not sha256(content := half + b"%d" % number).digest().startswith(place):
        number += 1
    file.write_bytes(content)
    published = read(root, size=8, on_bad=OnBad.skip, test_share=0.4)
    expected = [pixels(n)[..., c] // 2 + 127 * (n // 1000) for n in (0, 1, 2, 1000, 1001, 1002) for c in range(3)]
    ours = [*shown(published), *shown(published, "test")]
    assert {x.tobytes() for image in ours for x in image} == {x.astype(np.uint8).tobytes() for x in expected}


def test_that_nothing_can_be_used_is_said(root, read):
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        (root / name / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match="^dataset.root: none of its images can be used: .*cat/a.png is empty; .*dog/"):
        read(root, on_bad=OnBad.skip)


SIZES = {
    "alike": ([(8, 8), (8, 8), (8, 8)], 8, None),
    "alike and odd": ([(13, 13)] * 3, 13, None),
    "alike and large": ([(240, 240)] * 3, 240, None),
    "not square": ([(10, 20)] * 3, 8, "images of 10x20 are brought to 8x8, of 6 that are not square their middle"),
    "the median of shorter sides": (
        [(10, 90), (50, 17), (60, 60)],
        16,
        "images of 50x17 to 60x60 are brought to 16x16, of 4 that are not square their middle",
    ),
    "tiny": ([(3, 4), (4, 3), (4, 4)], 8, "images of 3x4 to 4x4 are brought to 8x8, of 4 that are not square their"),
    "large": ([(400, 300)] * 3, 224, "images of 400x300 are brought to 224x224"),
}


@pytest.mark.parametrize("case", SIZES)
def test_the_size_is_that_of_the_images_or_a_usual_one(case, root, read):
    sides, size, told = SIZES[case]
    for label in range(2):
        for number, (width, height) in enumerate(sides):
            save(root / str(label) / f"{number}.png", pixels(10 * label + number, height, width))
    published = read(root)
    assert published.measured["size"] == size
    assert published.item.shape == (3, size, size)
    assert (published.facts == ()) if told is None else published.facts[0].startswith(told)
    smaller = read(root, size=6)
    assert smaller.item.shape == (3, 6, 6)
    assert shown(smaller).shape[1:] == (3, 6, 6)


def test_the_first_picture_of_animations_is_said(root, read):
    images(root, "cat", "dog")
    frames = [pixels(50 + number, channels=1) for number in range(2)]
    save(root / "cat" / "z.gif", frames[0], save_all=True, append_images=[Image.fromarray(frames[1])])
    assert read(root).facts == ("1 animated images: the first picture of each",)


def test_images_are_grey_where_all_for_training_are(root, read, tmp_path):
    images(root, "cat", "dog", channels=1)
    assert read(root).item.shape == (1, 8, 8)
    other = images(tmp_path / "other", "cat", "dog", num=2, first=300)
    assert read(root, test_root=str(other)).item.shape == (1, 8, 8)  # as a network that learned from grey ones sees
    assert read(other, test_root=str(root)).item.shape == (3, 8, 8)
    save(root / "cat" / "colour.png", pixels(0))
    assert read(root).item.shape == (3, 8, 8)


def people(root):
    """Of eight people three images in each class: CLASS/PERSON_NUMBER.png."""
    for label, name in enumerate(("cat", "dog")):
        for number in range(24):
            save(root / name / f"p{number // 3}_{number}.png", pixels(100 * label + number))
    return root


def test_images_of_a_group_are_on_one_side_of_each_split(root, read):
    people(root)
    published = read(root, group=r"/p(\d+)_")
    sides = [{is_test(published, root, f.relative_to(root)) for f in root.rglob(f"p{person}_*")} for person in range(8)]
    assert all(len(side) == 1 for side in sides)
    assert 0 < sum(True in side for side in sides) < 4
    splits = split(published, replace(asked(), val_size=6))
    digests = {name: {bytes(d) for d in part.fields["image"].digests} for name, part in splits.parts.items()}
    for person in range(8):
        own = {header(file).digest for file in root.rglob(f"p{person}_*")}
        assert sum(bool(own & part) for part in digests.values()) == 1
    assert digests["val"]


def test_images_of_a_folder_are_on_one_side(root, read):
    for label in range(2):
        for number in range(20):
            save(root / str(label) / f"film{number // 4}" / f"{number}.png", pixels(100 * label + number))
    published = read(root, group="parent")
    for folder in root.glob("*/*"):
        assert len({is_test(published, root, file.relative_to(root)) for file in folder.iterdir()}) == 1
    assert len(published.test) == 8


GROUPS = {
    r"q(\d+)": r"dataset.group: 'q(\\d+)' does not match cat/p0_0.png; give one that matches all paths",
    r"(p)\d": r"dataset.group: '(p)\\d' puts all images into one group, 'p'",
    "parent": "dataset.group: leaves nothing to test on, of 48 images; see dataset.test_root",
}


@pytest.mark.parametrize("group", GROUPS)
def test_groups_that_split_nothing_are_refused(group, root, read):
    with pytest.raises(InputError) as error:
        read(people(root), group=group)
    assert str(error.value) == GROUPS[group]


def test_no_group_is_in_training_and_in_testing(root, read, tmp_path):
    people(root / "train")
    save(root / "test" / "cat" / "p3_99.png", pixels(500))
    with pytest.raises(InputError) as error:
        read(root, group=r"p\d+")
    way = "move it to one side, or leave out dataset.group"
    assert str(error.value) == f"{root}/test/cat/p3_99.png: is of the group 'p3', which is in training, too; {way}"
    assert parts(read(root, group="parent")) == (48, 1)
    other = images(tmp_path / "other", "cat", "dog", num=2, first=900)
    assert parts(read(root / "train", group="parent", test_root=str(other))) == (48, 4)


SETTINGS = {
    "group": ("(", "dataset.group: '(' is no regular expression"),
    "test_share": (1.0, "dataset.test_share: must be between 0 and 1, but is 1.0"),
    "size": (1, "dataset.size: must be at least 2, but is 1"),
    "workers": (0, "dataset.workers: must be at least 1, but is 0"),
    "cache_limit": (0.0, "dataset.cache_limit: must be above 0"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_make_no_sense_are_refused(name, root, read):
    value, told = SETTINGS[name]
    with pytest.raises(InputError, match=f"^{re.escape(told)}"):
        read(root, **{name: value})


def test_what_is_tested_on_is_said_once(root, read):
    for values in ({"test_share": 0.2, "test_root": "x"}, {"test_share": 0.3}):
        images(root / "train", "cat", "dog", num=2)
        images(root / "test", "cat", "dog", num=1, first=50)
        with pytest.raises(InputError, match="^dataset.test_share: "):
            read(root, **values)


def test_all_of_another_folder_is_tested_on(root, read, tmp_path):
    images(root, "cat", "dog")
    other = tmp_path / "other"
    for number, part in enumerate(("train", "val", "test")):
        images(other / part, "dog", num=2, first=100 * (number + 1))
    published = read(root, test_root=str(other))
    assert parts(published) == (20, 6)
    assert published.test.labels.tolist() == [1] * 6
    images(other / "test", "owl", num=1)
    with pytest.raises(InputError, match=r"other/test/owl/000.png: no training image is of its class 'owl'"):
        read(root, test_root=str(other))
    with pytest.raises(InputError, match=r"^dataset.test_root: .*nowhere is not there; name a folder of images: data"):
        read(root, test_root=str(tmp_path / "nowhere"))


def test_a_folder_of_ones_home_is_found(read, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    images(tmp_path / "mine", "cat", "dog")
    assert parts(read("~/mine")) == (16, 4)
