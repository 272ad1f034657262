"""Tensors in dictionaries, lists and tuples, as one thing."""

from collections.abc import Callable, Iterator
from typing import Any

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


def rows(tree: Tree, start: int, stop: int) -> Tree:
    """The rows ``start`` to ``stop`` of every tensor."""
    return tree_map(lambda tensor: tensor[start:stop], tree)
