"""A stream: which items come when, and by how much they have drifted."""

import numpy as np
import pytest
from tasks.text.ratings import zipped

from helpers import settings
from sdrun import tasks
from sdrun.data.splits import split
from sdrun.errors import InputError
from sdrun.tasks.text.sources.vader import DOMAINS

SMALL = ("dataset=digits", "dataset.num_labels=100", "dataset.stream.periods=5")


def streamed(*overrides):
    asked = settings(*SMALL, *overrides).dataset
    return split(tasks.load(asked), tasks.measured(asked, tasks.load(asked)))


def test_periods_are_all_items_and_the_first_has_the_labels():
    splits = streamed("dataset/stream=rotation")
    periods = splits.periods
    np.testing.assert_array_equal(periods.rows[0], splits.labelled)
    assert sorted(np.concatenate(periods.rows)) == list(range(len(splits.train)))
    assert max(map(len, periods.rows[1:])) - min(map(len, periods.rows[1:])) <= 1
    assert periods.names == [f"period_{number}" for number in range(6)]
    assert streamed("dataset/stream=rotation", "dataset.stream.periods=10").periods.names[1] == "period_01"


def test_they_follow_the_seed_of_the_data():
    one, same, other = (streamed("dataset/stream=rotation", f"dataset.seed={seed}").periods for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one.rows, same.rows, strict=True))
    assert not np.array_equal(one.rows[1], other.rows[1])


@pytest.mark.parametrize(("amount", "turn"), [([0, 60], 5), ([30, -30], 25)])
def test_items_drift_further_from_period_to_period(amount, turn):
    splits = streamed("dataset/stream=rotation", f"dataset.stream.amount={amount}")
    periods, sign = splits.periods, np.sign(amount[1] - amount[0])
    drift = [sign * periods.amounts["train"][rows] for rows in periods.rows]
    assert drift[0].min() >= sign * amount[0]
    assert drift[0].max() <= sign * turn
    assert all(one.max() <= other.min() for one, other in zip(drift, drift[1:], strict=False))
    assert (drift[1].min(), drift[-1].max()) == (sign * turn, sign * amount[1])
    for number, name in enumerate(periods.names[1:], start=1):
        judged = sign * periods.amounts[name]
        assert drift[number].min() - 1 <= judged.min() <= judged.max() <= drift[number].max() + 1
    assert periods.amounts["val"].min() * sign >= sign * amount[0]
    assert (sign * periods.amounts["test"]).min() >= sign * (amount[1] - (amount[1] - turn) / 5)


def test_shuffled_are_the_same_items_in_no_order():
    one = streamed("dataset/stream=rotation")
    other = streamed("dataset/stream=rotation", "dataset.stream.shuffled=true")
    for name, values in one.periods.amounts.items():
        np.testing.assert_array_equal(values, other.periods.amounts[name])
    drift = other.periods.amounts["train"]
    assert [len(rows) for rows in one.periods.rows] == [len(rows) for rows in other.periods.rows]
    assert all(np.ptp(drift[rows]) > 45 for rows in other.periods.rows[1:])


def test_classes_become_rare_and_frequent():
    splits = streamed("dataset/stream=class_frequency", "dataset.stream.ratio=20", "dataset.stream.held_out=40")
    periods, labels = splits.periods, splits.true_labels
    first, last = (np.bincount(labels[periods.rows[place]], minlength=10) for place in (1, -1))
    assert first[:3].sum() > 2 * first[-3:].sum()
    assert last[-3:].sum() > 2 * last[:3].sum()
    judged = [np.bincount(periods.labels(name), minlength=10) for name in periods.names]
    assert all(counts.sum() == 40 for counts in judged)
    assert judged[1][:5].sum() > judged[-1][:5].sum()
    assert np.bincount(splits.test.labels, minlength=10)[-3:].sum() > len(splits.test) / 2.5
    assert periods.amounts == {}


def test_a_period_has_labels_to_be_judged_by_and_training_knows_none_of_them():
    splits = streamed("dataset/stream=rotation", "dataset.stream.held_out=25")
    assert {len(splits.periods.labels(name)) for name in splits.periods.names} == {25}
    assert set(splits.labels["train"][np.concatenate(splits.periods.rows[1:])]) == {-1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("dataset.num_labels=null",),
            "dataset.stream: 0 items without labels are too few for dataset.stream.periods=5",
        ),
        (("dataset.stream.periods=2000",), "dataset.stream: 1,157 items without labels are too few for .*; lower that"),
        (("dataset.stream.periods=0",), "dataset.stream.periods: must be at least 1, but is 0"),
        (("dataset.stream.amount=[0]",), "dataset.stream.amount: needs a first and a last one, such as"),
        (("dataset.stream.amount=[0,200]",), "dataset.stream.amount: must be between -180 and 180, but is 200"),
        (("dataset.stream.first=61",), "dataset.stream.first: must be between 0 and 60, but is 61"),
        (("dataset.stream.ratio=3",), "dataset.stream.ratio: has no effect with dataset=digits; it is a setting of"),
    ],
)
def test_what_makes_no_stream_is_refused_by_name(words, message):
    with pytest.raises(InputError, match=message):
        streamed("dataset/stream=rotation", *words)


def test_a_stream_is_chosen_by_its_group():
    with pytest.raises(InputError, match=r"dataset.stream: is rotation; choose one by dataset/stream=rotation\|"):
        settings("dataset.stream=rotation")


# Domains -------------------------------------------------------------------------------------------------------------

ORDER = ("tweets", "amazon", "news", "movies")


@pytest.fixture(scope="module")
def of_domains(tmp_path_factory):
    """Splits of the ratings as a stream of domains."""
    root = zipped(tmp_path_factory.mktemp("ratings"))
    small = ("dataset=vader", "dataset/stream=domains", f"dataset.root={root}", "dataset.val_size=8")

    def split_by(*overrides):
        asked = settings(*small, f"dataset.stream.order=[{','.join(ORDER)}]", *overrides).dataset
        return split(tasks.load(asked), tasks.measured(asked, tasks.load(asked)))

    return split_by


def domains(part, rows):
    return [list(DOMAINS)[number] for number in part.fields["domain"][rows]]


def test_domains_come_one_after_another_and_the_first_has_the_labels(of_domains):
    splits = of_domains("dataset.stream.periods=3", "dataset.stream.held_out=4")
    assert set(domains(splits.train, splits.labelled)) == set(domains(splits.validation, slice(None))) == {"tweets"}
    assert len(splits.labelled) == 32 - 8
    assert set(domains(splits.test, slice(None))) == {"movies"}
    assert list(dict.fromkeys(domains(splits.train, np.concatenate(splits.periods.rows)))) == list(ORDER)
    for rows, held_out in zip(splits.periods.rows, splits.periods.held_out, strict=True):
        assert set(domains(splits.periods.pool, held_out)) <= set(domains(splits.train, rows))
        assert len(held_out) == 4


def test_those_of_the_first_without_a_label_come_before_the_others(of_domains):
    splits = of_domains("dataset.num_labels=10", "dataset.stream.periods=20")
    assert len(splits.labelled) == 10
    assert set(domains(splits.train, splits.periods.rows[1])) == {"tweets"}
    order = domains(splits.train, np.concatenate(splits.periods.rows))
    assert list(dict.fromkeys(order)) == list(ORDER)
    assert len(order) == len(splits.train)


def test_domains_that_are_not_asked_for_do_not_come(of_domains):
    splits = of_domains("dataset.stream.order=[news,amazon]", "dataset.stream.periods=2")
    rows = np.concatenate(splits.periods.rows)
    assert set(domains(splits.train, rows)) == {"news", "amazon"}


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (
            "[tweets,books]",
            "dataset.stream.order: is 'books', but the domains of dataset=vader are amazon",
        ),
        ("[tweets]", "dataset.stream.order: needs the domains one after another, each once, such as"),
        ("[tweets,tweets]", "dataset.stream.order: needs the domains one after another, each once, such as"),
    ],
)
def test_domains_that_are_none_are_refused(order, message, of_domains):
    with pytest.raises(InputError, match=message):
        of_domains(f"dataset.stream.order={order}")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("dataset.val_size=32",),
            "dataset.val_size: leaves nothing of the 32 items of the first domain; make",
        ),
        (("dataset.num_labels=25",), "dataset.num_labels: must be at most 24, the items of the first domain that"),
        (
            ("dataset.stream.order=[tweets,amazon]", "dataset.stream.periods=40"),
            "dataset.stream.periods: is 40, and 30 items of these domains are left to come",
        ),
    ],
)
def test_domains_that_hold_too_little_are_named(words, message, of_domains):
    with pytest.raises(InputError, match=message):
        of_domains(*words)


def test_a_dataset_without_domains_is_sent_to_files():
    with pytest.raises(InputError, match="knows none; give a file for each period: dataset/stream=files"):
        streamed("dataset/stream=domains")
