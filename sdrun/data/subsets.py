"""Subsets of items: stratified, per class, whole groups; what is tested on."""

import numpy as np

from sdrun.errors import require


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
    parts = [shuffled[labels[shuffled] == c][:n] for c, n in zip(classes, quota, strict=True)]
    chosen = np.concatenate([index[:0], *parts])
    return np.sort(chosen), np.setdiff1d(index, chosen)


def per_class(index: np.ndarray, labels: np.ndarray, num: int, num_classes: int, seed: int) -> np.ndarray:
    """``num`` entries of ``index`` of each class, or all of it, sorted. Raises InputError where all have fewer."""
    shuffled = np.random.default_rng(seed).permutation(index)
    most = np.bincount(labels[index], minlength=num_classes).max()
    require(most >= num, "dataset.labels_per_class", f"must be at most {most}, as no class has more")
    return np.sort(np.concatenate([shuffled[labels[shuffled] == c][:num] for c in range(num_classes)]))


def grouped(groups: np.ndarray, labels: np.ndarray, num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split all positions into about ``num`` with about the same share of every class, and the rest; both sorted.

    What shares a number in ``groups`` [N] stays together: groups come in random order, and each is taken where that
    brings the numbers of its classes nearer to their shares.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    counts = np.zeros((len(sizes), labels.max() + 1))
    np.add.at(counts, (group, labels), 1)
    lacking = counts.sum(axis=0) * (num / max(len(labels), 1))
    is_chosen = np.zeros(len(sizes), dtype=bool)
    for number in np.random.default_rng(seed).permutation(len(sizes)):
        left = lacking - counts[number]
        if (left**2).sum() < (lacking**2).sum():
            is_chosen[number], lacking = True, left
    return np.flatnonzero(is_chosen[group]), np.flatnonzero(~is_chosen[group])


def for_testing(labels: np.ndarray, share: float, groups: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Positions to test on, the same in every run, and all others; both sorted.

    About this share, stratified, but not the only item of a class; or whole groups.
    """
    if groups is not None:
        return grouped(groups, labels, round(share * len(labels)), seed=0)
    order, shared = np.arange(len(labels)), np.bincount(labels)[labels] > 1
    test, _ = stratified(order[shared], labels, round(share * shared.sum()), seed=0)
    return test, np.setdiff1d(order, test)
