"""Sources of other sources: what they give, and that equal items have equal fingerprints, others none of these."""

import pytest
import torch

from sdrun.data.source import Memory, Only, Rows, With, at_once


def memory(**changed):
    return Memory({"x": torch.arange(12.0).view(6, 2), "label": torch.tensor([0, 1, 0, 1, 0, 1]), **changed})


def rows(*numbers):
    return Rows(memory(), torch.tensor(numbers))


def labelled(*labels):
    return With(memory(), {"label": torch.tensor(labels)})


def same(fields, **wanted):
    assert fields.keys() == wanted.keys()
    for name, values in wanted.items():
        assert torch.equal(fields[name], torch.tensor(values))


def test_a_fold_has_its_rows_in_its_order():
    fold = rows(5, 0, 2)
    assert len(fold) == 3
    same(fold.fetch(torch.tensor([2, 0])), x=[[4.0, 5.0], [10.0, 11.0]], label=[0, 1])


def test_further_fields_stand_beside_the_others_or_in_their_place():
    source = With(labelled(1, 1, 1, 1, 1, 0), {"weight": torch.arange(6.0)})
    assert len(source) == 6
    same(source.fetch(torch.tensor([5])), x=[[10.0, 11.0]], label=[0], weight=[5.0])


def test_what_is_not_named_is_not_known():
    source = Only(memory(), ("x",))
    assert len(source) == 6
    same(source.fetch(torch.tensor([1, 1])), x=[[2.0, 3.0], [2.0, 3.0]])


def test_they_nest():
    source = Rows(With(rows(5, 0, 2), {"label": torch.tensor([7, 8, 9])}), torch.tensor([2, 1]))
    same(source.fetch(torch.tensor([0, 1])), x=[[4.0, 5.0], [0.0, 1.0]], label=[9, 8])


DIFFERENT = {
    "memory": memory,
    "other values": lambda: memory(x=torch.arange(12.0).view(6, 2) + 1),
    "another shape": lambda: memory(x=torch.arange(12.0).view(6, 1, 2)),
    "another type": lambda: memory(x=torch.arange(12.0, dtype=torch.float64).view(6, 2)),
    "another name": lambda: Memory({"y": memory().fields["x"], "label": memory().fields["label"]}),
    "rows": lambda: rows(0, 1),
    "rows in another order": lambda: rows(1, 0),
    "rows of others": lambda: Rows(labelled(0, 0, 0, 0, 0, 0), torch.tensor([0, 1])),
    "other labels": lambda: labelled(0, 0, 0, 0, 0, 0),
    "yet other labels": lambda: labelled(0, 0, 0, 0, 0, 1),
    "one field": lambda: Only(memory(), ("x",)),
    "another field": lambda: Only(memory(), ("label",)),
    "one field of others": lambda: Only(memory(x=torch.zeros(6, 2)), ("x",)),
}


def test_fingerprints_differ_where_items_do():
    fingerprints = {make().fingerprint for make in DIFFERENT.values()}
    assert len(fingerprints) == len(DIFFERENT)


@pytest.mark.parametrize("name", DIFFERENT)
def test_fingerprints_are_equal_for_equal_items(name):
    assert DIFFERENT[name]().fingerprint == DIFFERENT[name]().fingerprint


def test_the_order_of_fields_is_nothing():
    fields = memory().fields
    assert Memory(dict(reversed(fields.items()))).fingerprint == memory().fingerprint
    assert Only(memory(), ("x", "label")).fingerprint == Only(memory(), ("label", "x")).fingerprint


def test_large_items_are_looked_at_in_smaller_numbers():
    assert at_once((1, 28, 28)) == at_once((3, 32, 32)) == at_once(()) == 1000
    assert at_once((3, 224, 224)) * 3 * 224 * 224 <= 2**22
    assert at_once((3, 5000, 5000)) == 1
