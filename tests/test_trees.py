"""Trees of tensors."""

import doctest

import torch

from sdrun import trees
from sdrun.trees import leaves, rows, tree_map

TREE = {"a": torch.arange(4), "b": [torch.arange(4.0), (torch.ones(4, 2), {"c": torch.zeros(4)})]}


def test_its_examples_are_true():
    results = doctest.testmod(trees, extraglobs={"torch": torch})
    assert (results.attempted, results.failed) == (1, 0)


def test_leaves_are_all_tensors_in_order():
    assert [tuple(leaf.shape) for leaf in leaves(TREE)] == [(4,), (4,), (4, 2), (4,)]
    assert next(leaves(TREE)).dtype == torch.long
    assert list(leaves({"a": [], "b": {}})) == []
    one = torch.ones(1)
    assert next(leaves(one)) is one


def test_a_map_keeps_the_shape_of_the_tree_and_leaves_it_alone():
    doubled = tree_map(lambda x: 2 * x, TREE)
    assert list(doubled) == ["a", "b"]
    assert isinstance(doubled["b"], list)
    assert isinstance(doubled["b"][1], tuple)
    assert all(torch.equal(new, 2 * old) for new, old in zip(leaves(doubled), leaves(TREE), strict=True))
    assert TREE["a"].tolist() == [0, 1, 2, 3]


def test_rows_are_taken_of_every_tensor():
    part = rows(TREE, 1, 3)
    assert part["a"].tolist() == [1, 2]
    assert part["b"][1][0].shape == (2, 2)
    assert torch.equal(torch.cat([rows(TREE, 0, 1)["b"][0], rows(TREE, 1, 4)["b"][0]]), TREE["b"][0])
