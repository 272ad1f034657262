"""The ratings behind VADER, from a small archive of the same make."""

import re

import numpy as np
import pytest
from tasks.text.ratings import FOLDER, files, packed, zipped

from helpers import settings, splits_of
from sdrun import tasks
from sdrun.data.splits import split
from sdrun.errors import InputError


@pytest.fixture
def archive(tmp_path):
    return zipped(tmp_path, files())


def load(root, *overrides):
    return tasks.load(settings("dataset=vader", f"dataset.root={root}", *overrides).dataset)


def test_classes_are_those_of_the_mean_and_shares_those_of_single_raters(archive):
    published = load(archive)
    assert published.classes == ["negative", "neutral", "positive"]
    assert len(published.train) + len(published.test) == 160
    for part in (published.train, published.test):
        for text, label, crowd in zip(part.fields["text"], part.labels, part.crowd, strict=True):
            name = text.split()[1]
            n = int(name) if "_" not in name else 5 * int(name.split("_")[0]) + int(name.split("_")[1])
            assert label == n % 3  # the rating of 0 has a mean of 0.3, within what counts as neutral
            assert crowd.tolist() == [[1, 0, 0], [0, 0.7, 0.3], [0, 0, 1]][n % 3]


def test_documents_are_on_one_side_of_the_split_and_each_domain_on_both(archive):
    published = load(archive)
    sides = [
        {f"{domain}/{text.split()[1].split('_')[0]}" for text, domain in zip(texts, domains, strict=True)}
        for texts, domains in ((p.fields["text"], p.fields["domain"]) for p in (published.train, published.test))
    ]
    assert not sides[0] & sides[1]
    for part in (published.train, published.test):
        assert set(part.fields["domain"]) == {0, 1, 2, 3}
    assert 0.1 < len(published.test) / 160 < 0.3


def test_the_label_of_one_rater_is_drawn_by_the_seed_and_validation_keeps_the_truth(archive):
    asked = [
        settings(
            "dataset=vader",
            f"dataset.root={archive}",
            f"seed={seed}",
            "dataset.val_size=20",
            "dataset.labels_from=rater",
        ).dataset
        for seed in (0, 0, 1)
    ]
    one, same, other = (split(tasks.load(own), own) for own in asked)
    assert one.train.labels.tolist() == same.train.labels.tolist()
    assert one.fingerprints() == same.fingerprints() != other.fingerprints()
    neutral = one.true_labels == 1
    assert (one.train.labels == one.true_labels)[~neutral].all()
    wrong = (one.train.labels != one.true_labels)[neutral]
    assert 0.05 < wrong.mean() < 0.6
    assert set(one.validation.labels[one.validation.crowd[:, 1] == 0.7]) == {1}


@pytest.mark.parametrize("how", ["folder", "its folder", "inner archive", "download folder"])
def test_the_archive_may_lie_there_unpacked_or_not(how, archive, tmp_path):
    expected = load(archive).test.fingerprint
    place = tmp_path / "place"
    place.mkdir()
    if how == "inner archive":
        place = tmp_path / f"{FOLDER}.tar.gz"
        place.write_bytes(packed(files()))
    elif how == "download folder":
        archive.rename(place / archive.name)
    else:
        inner = place / FOLDER if how == "its folder" else place
        inner.mkdir(exist_ok=True)
        for name, text in files().items():
            (inner / name).write_text(text, newline="")
    assert load(place).test.fingerprint == expected


def test_missing_files_are_named_with_the_way_to_get_them(tmp_path):
    for root, told in (("null", "is missing"), (tmp_path, f"{tmp_path} holds no"), (tmp_path / "x", "cannot be read")):
        with pytest.raises(InputError, match=re.escape(told)) as error:
            load(root)
        assert str(error.value).startswith("dataset.root: ")
        assert "pip download --no-deps --no-binary :all: vaderSentiment==0.5" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[2, 2", "[9, 2", "tweets_anonDataRatings.txt: has ratings that are none: [9, 2"),
        ("[2, 2", "[x, 2", "tweets_anonDataRatings.txt: has ratings that are none: [x, 2"),
        ("\t0.5\t", " 0.5\t", "tweets_anonDataRatings.txt, line 1: has 3 cells instead of 4"),
        ("\n3\t", "\n300\t", "tweets_GroundTruth.txt: has other numbers than its ratings"),
    ],
)
def test_damaged_files_are_named(old, new, told, tmp_path):
    content = files()
    content["tweets_anonDataRatings.txt"] = content["tweets_anonDataRatings.txt"].replace(old, new, 1)
    with pytest.raises(InputError, match=re.escape(told)):
        load(zipped(tmp_path, content))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x1f\x8b broken"])
def test_what_is_no_archive_is_named(content, tmp_path):
    file = tmp_path / "vaderSentiment-0.5.zip"
    file.write_bytes(content)
    with pytest.raises(InputError, match=f"dataset.root: {file} cannot be read"):
        load(file)


def test_noise_on_top_of_a_raters_label_makes_no_sense():
    with pytest.raises(InputError, match="dataset.label_noise: would hide which labels"):
        settings("dataset=vader", "dataset.labels_from=rater", "dataset.label_noise=0.1")


def test_several_raters_say_what_they_think_and_those_of_films_are_told_apart(archive):
    words = ("dataset=vader", f"dataset.root={archive}", "dataset.val_size=20", "dataset.labels_from=rater")
    splits = splits_of(*words, "dataset.raters=4")
    said = splits.annotations
    assert np.bincount(said.items).tolist() == [4] * len(splits.train)
    names = said.names[said.annotators]
    films = np.char.startswith(names, "movies ")
    others = {f"somebody {nth} of {domain}" for domain in ("amazon", "news", "tweets") for nth in range(1, 5)}
    assert set(names[~films]) == others
    assert set(splits.train.numbers("domain")[said.items[films]]) == {1}
    assert len(set(names[films])) == 4 * 2  # of the two blocks of 40 texts
    ratings = np.sign([[(-3, 0, 2)[n]] * 7 + [(-1, 1, 4)[n]] * 3 for n in range(3)]) + 1
    place = [int(name.rpartition("-")[2]) for name in names[films]]
    expected = ratings[splits.true_labels[said.items[films]], place]
    assert said.labels[films].tolist() == expected.tolist()
    most = np.array(
        [np.bincount(said.labels[said.items == item], minlength=3).max() for item in range(len(splits.train))]
    )
    given = np.array(
        [(said.labels[said.items == item] == splits.train.labels[item]).sum() for item in range(len(splits.train))]
    )
    assert given.tolist() == most.tolist()


def test_raters_do_not_go_with_tasks_of_classes(archive):
    words = ("dataset=vader", f"dataset.root={archive}", "dataset.labels_from=rater", "dataset.raters=3")
    with pytest.raises(InputError, match="dataset.raters: changes classes of one task to those of another"):
        splits_of(*words, "dataset/stream=classes", "dataset.stream.groups=[[2,0],[1]]")
