"""Tensors in dictionaries, lists and tuples, as one thing."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

Tree = Any
"""A tensor, or a dict, list or tuple of trees, named or not."""


def tree_map(change: Callable[[Tensor], Tensor], tree: Tree) -> Tree:
    """The same tree with every tensor changed.

    >>> tree_map(lambda x: x + 1, {"a": torch.zeros(1), "b": [torch.ones(1)]})
    {'a': tensor([1.]), 'b': [tensor([2.])]}
    """
    if isinstance(tree, dict):
        return {name: tree_map(change, part) for name, part in tree.items()}
    if isinstance(tree, list | tuple):
        parts = [tree_map(change, part) for part in tree]
        return type(tree)(parts) if type(tree) in (list, tuple) else type(tree)(*parts)
    return change(tree)


def leaves(tree: Tree) -> Iterator[Tensor]:
    """Every tensor of a tree."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from leaves(part)
    else:
        yield tree


def tree_cat(trees: Sequence[Tree]) -> Tree:
    """The rows of several trees of one shape, in this order."""
    first = trees[0]
    if isinstance(first, dict):
        return {name: tree_cat([tree[name] for tree in trees]) for name in first}
    if isinstance(first, list | tuple):
        parts = [tree_cat(of_all) for of_all in zip(*trees, strict=True)]
        return type(first)(parts) if type(first) in (list, tuple) else type(first)(*parts)
    return first if len(trees) == 1 else torch.cat(list(trees))


def rows(tree: Tree, start: int, stop: int) -> Tree:
    """The rows ``start`` to ``stop`` of every tensor."""
    return tree_map(lambda tensor: tensor[start:stop], tree)
