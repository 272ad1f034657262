"""Stratified subsets."""

import numpy as np


def stratified(index: np.ndarray, labels: np.ndarray, num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split ``index`` into ``num`` entries with the same share of every class, and the rest; both sorted.

    Where shares are no whole numbers, the classes with the largest remainders get one more.
    """
    random = np.random.default_rng(seed)
    shuffled = random.permutation(index)
    classes, counts = np.unique(labels[index], return_counts=True)
    exact = counts * (num / max(len(index), 1))
    quota = np.floor(exact).astype(int)
    for extra in np.argsort(quota - exact, kind="stable")[: num - quota.sum()]:
        quota[extra] += 1
    chosen = np.concatenate([shuffled[labels[shuffled] == c][:n] for c, n in zip(classes, quota, strict=True)])
    return np.sort(chosen), np.setdiff1d(index, chosen)
