"""Items as tasks that come one after another: whose each is, and what is right there."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import settings
from sdrun.data.labelled import TASK, Labelled, Published
from sdrun.data.splits import split
from sdrun.data.tasks import by_classes, by_domains, one_after_another
from sdrun.errors import InputError
from sdrun.settings import ClassTasks, DatasetTasks, DomainTasks, Item

NUM = 120
LABELS = np.arange(NUM) % 6
ITEM = Item("images", (1, 4, 4))


def part(labels=LABELS, first=0, **fields):
    images = (first + np.arange(len(labels)))[:, None, None, None].astype(np.uint8) * np.ones((1, 1, 4, 4), np.uint8)
    return Labelled({"image": images, **fields}, labels)


def published(**more):
    return Published(part(), part(LABELS[:30]), [*"abcdef"], ITEM, **more)


def of(source, name="train"):
    return source.parts[name].fields[TASK]


def classes(groups=None, num=3):
    return ClassTasks("classes", False, num, groups)


def test_classes_come_some_at_a_time_numbered_as_they_come():
    source = by_classes(published(), classes([[4, 1], [0], [5]]))
    assert source.classes == ["e", "b", "a", "f"]
    assert source.tasks == ("e, b", "a", "f")
    for name in ("train", "test"):
        labels = LABELS[source.parts[name].fields["image"][:, 0, 0, 0]]
        assert sorted(set(labels)) == [0, 1, 4, 5]
        assert [source.classes[number] for number in source.parts[name].labels] == ["abcdef"[old] for old in labels]
        assert of(source, name).tolist() == [{4: 0, 1: 0, 0: 1, 5: 2}[old] for old in labels]


def test_by_default_classes_come_as_they_are_numbered():
    source = by_classes(published(), classes(num=4))
    assert source.tasks == ("a, b", "c, d", "e", "f")
    assert np.array_equal(source.train.labels, LABELS)


def test_what_was_published_for_validation_and_what_belongs_together_stay():
    kept = np.flatnonzero(np.isin(LABELS, (0, 5)))
    validation = np.array([0, 1, 5, 6])
    groups = np.arange(NUM) // 2
    source = by_classes(published(validation=validation, groups=groups), classes([[0], [5]]))
    assert kept[source.validation].tolist() == [0, 5, 6]
    assert np.array_equal(source.groups, groups[kept])


def test_domains_come_in_their_order_and_others_not_at_all():
    domain = np.arange(NUM) % 4
    whole = Published(
        part(domain=domain), part(LABELS[:30], domain=domain[:30]), [*"abcdef"], ITEM, domains=("w", "x", "y", "z")
    )
    noisy = replace(whole, noisy=lambda seed: np.arange(NUM) + seed)
    source = by_domains(noisy, DomainTasks("domain_tasks", False, ["z", "x"]), "own")
    assert source.tasks == ("z", "x")
    kept = np.flatnonzero(np.isin(domain, (3, 1)))
    assert of(source).tolist() == [{3: 0, 1: 1}[number] for number in domain[kept]]
    assert np.array_equal(source.noisy(7), kept + 7)
    for stream, told in {("z", "q"): "is 'q', but the domains of dataset=own are w, x, y, z", ("w", "z"): None}.items():
        if told:
            with pytest.raises(InputError, match=f"dataset.stream.order: {told}"):
                by_domains(whole, DomainTasks("domain_tasks", False, [*stream]), "own")
    with pytest.raises(InputError, match="this dataset knows none"):
        by_domains(published(), DomainTasks("domain_tasks", False, ["z", "x"]), "own")


def other(classes=4):
    labels = np.arange(40) % classes
    return Published(part(labels, 200), part(labels[:10], 200), [f"n{number}" for number in range(classes)], ITEM)


def datasets(alike=None):
    return DatasetTasks("tasks", False, ["second"], None, alike)


def test_datasets_come_one_after_another_with_classes_of_their_own():
    source = one_after_another([published(), other()], datasets(), ["first", "second"])
    assert source.classes == [*(f"first: {name}" for name in "abcdef"), *(f"second: n{number}" for number in range(4))]
    assert source.train.right is None
    assert of(source).tolist() == [0] * NUM + [1] * 40
    assert source.train.labels.tolist() == [*LABELS, *(6 + np.arange(40) % 4)]
    assert source.train.fields["image"][NUM:, 0, 0, 0].tolist() == list(range(200, 240))


def test_alike_classes_of_the_first_are_right():
    source = one_after_another([published(), other()], datasets([[0, 2, 4], [1, 3, 5]]), ["first", "second"])
    assert source.classes == [*"abcdef"]
    assert source.train.right[:NUM].sum(axis=1).tolist() == [1] * NUM
    assert (source.train.right[:NUM].argmax(axis=1) == LABELS).all()
    even, odd = [True, False] * 3, [False, True] * 3
    assert source.train.right[NUM:].tolist() == [even, odd] * 20
    assert source.train.labels[NUM:].tolist() == [0, 1] * 20


def test_datasets_that_do_not_go_together_are_refused():
    wide = replace(other(), item=Item("images", (1, 8, 8)))
    with pytest.raises(InputError, match="dataset.stream.then: second has images of 1x8x8, and first images of 1x4x4"):
        one_after_another([published(), wide], datasets(), ["first", "second"])
    with pytest.raises(InputError, match="has no class of the first dataset for n3 of second"):
        one_after_another([published(), other()], datasets([[0, 2], [1]]), ["first", "second"])


def test_each_task_has_its_share_of_every_class_in_a_split():
    source = one_after_another([published(), other()], datasets(), ["first", "second"])
    own = replace(settings("dataset=digits").dataset, train_size=80, val_size=40, stream=datasets())
    splits = split(source, own)
    assert np.bincount(splits.task_of("train")).tolist() == [60, 20]
    assert np.bincount(splits.train.labels).tolist() == [10] * 6 + [5] * 4
    assert np.bincount(splits.task_of("val")).tolist() == [30, 10]
    assert splits.classes_of_tasks.tolist() == [[True] * 6 + [False] * 4, [False] * 6 + [True] * 4]
    assert "2 tasks, one after another: first (60), second (20)" in splits.facts


def test_a_task_without_items_is_refused():
    source = Published(part(), part(np.zeros(3, dtype=int)), [*"abcdef"], ITEM)
    with pytest.raises(InputError, match="dataset.stream: c, d, e, f has nothing to test on; leave it out"):
        by_classes(source, classes([[0, 1], [2, 3, 4, 5]]))
