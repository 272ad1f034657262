"""The images of a dataset in folders, before they are decoded."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from sdrun.errors import InputError, require
from sdrun.tasks.images.folders.decoding import Header
from sdrun.tasks.images.folders.layout import TEST, by_folders, by_table
from sdrun.tasks.images.folders.tree import headers, walk

PARENT = "parent"
LARGEST, STEP = 224, 8
"""Pixels of a side at most, and what divides it, where images differ and no size is given."""
MOST_NAMED = 3


class Picture(NamedTuple):
    """``name``: its path from the root; ``part`` of the dataset and ``group``: empty where nothing says them."""

    path: str
    name: str
    header: Header
    label: str
    part: str
    group: str


def pictures_in(
    root: Path, key: str, memory: Path, num_workers: int, facts: list[str], table: Path | None, group: str | None
) -> list[Picture]:
    """The images below a folder that have a class, by its folders or a ``table``, and to ``facts`` what was left out.

    Raises InputError, which begins with ``key``, where there are none. ``memory``: see ``tree.headers``.
    """
    tree = walk(root, key)
    placed = by_table(tree.paths, table, str(root), group) if table else by_folders(tree.paths, key, str(root))
    left_out = {"images without a class": len(tree.paths) - len(placed), "other files": tree.num_others}
    if any(left_out.values()):
        facts.append("left out: " + ", ".join(f"{num:,} {what}" for what, num in left_out.items() if num))
    said = zip(tree.paths, headers(tree, memory, num_workers), strict=True)
    return [Picture(os.path.join(root, path), path, header, *placed[path]) for path, header in said if path in placed]


def usable(pictures: list[Picture], problems: Sequence[str], skips: bool, facts: list[str]) -> list[Picture]:
    """Those without a problem. Raises InputError, unless ``skips``, where there is one.

    problems: of each, empty where there is none.
    """
    bad = [(picture, problem) for picture, problem in zip(pictures, problems, strict=True) if problem]
    if not bad:
        return pictures
    told = "; ".join(f"{picture.path} {problem}" for picture, problem in bad[:MOST_NAMED])
    more = "; ..." if len(bad) > MOST_NAMED else ""
    num = f"{len(bad):,} of {len(pictures):,} images cannot be used"
    require(skips, "dataset.on_bad", f"{num}: {told}{more}; mend or remove them, or set dataset.on_bad=skip")
    facts.append(f"skipped: {num}: {told}{more}")
    sound = [picture for picture, problem in zip(pictures, problems, strict=True) if not problem]
    require(bool(sound), "dataset.root", f"none of its images can be used: {told}")
    return sound


def usual_size(pictures: list[Picture]) -> int:
    """That of all images where they are square and alike, or else the median of their shorter sides, at most 224."""
    sizes = {(picture.header.width, picture.header.height) for picture in pictures}
    width, height = min(sizes)
    if len(sizes) == 1 and width == height:
        return width
    middle = int(median(min(picture.header.width, picture.header.height) for picture in pictures))
    return min(max(middle // STEP * STEP, STEP), LARGEST)


def about(pictures: list[Picture], size: int) -> Iterator[str]:
    """What is done to images that are not as ``size`` says."""
    sizes = {(picture.header.width, picture.header.height) for picture in pictures}
    if sizes != {(size, size)}:
        by_area = sorted(sizes, key=lambda sides: sides[0] * sides[1])
        small, large = (f"{width}x{height}" for width, height in (by_area[0], by_area[-1]))
        num_cut = sum(picture.header.width != picture.header.height for picture in pictures)
        cut = f", of {num_cut:,} that are not square their middle" if num_cut else ""
        sides = small if len(sizes) == 1 else f"{small} to {large}"
        yield f"images of {sides} are brought to {size}x{size}{cut}"
    num_animated = sum(picture.header.is_animated for picture in pictures)
    if num_animated:
        yield f"{num_animated:,} animated images: the first picture of each"


def groups_of(pictures: list[Picture], group: str) -> np.ndarray:
    """Numbers [N] that are equal for what stays together: images of one folder, or whose path matches in the same text,
    or which a table puts together.

    Raises InputError where nothing matches, or everything in one text, or one for testing in that of another.
    """
    if any(picture.group for picture in pictures):
        lacking = next((picture for picture in pictures if not picture.group), None)
        empty = f"{lacking.name if lacking else ''} has no group in the table; write one for every image"
        require(lacking is None, "dataset.group", empty)
        words = [picture.group for picture in pictures]
    elif group == PARENT:
        words = [os.path.dirname(picture.path) for picture in pictures]
    else:
        matches = [re.search(group, picture.name) for picture in pictures]
        lacking = next((p for p, match in zip(pictures, matches, strict=True) if match is None), None)
        if lacking:
            raise InputError(f"dataset.group: {group!r} does not match {lacking.name}; give one that matches all paths")
        words = [match[match.re.groups and 1] or "" for match in matches if match]
    require(len(set(words)) > 1, "dataset.group", f"{group!r} puts all images into one group, {words[0]!r}")
    numbers = np.unique(words, return_inverse=True)[1]
    trained = {word for word, picture in zip(words, pictures, strict=True) if picture.part != TEST}
    for word, picture in zip(words, pictures, strict=True):
        if picture.part == TEST and word in trained:
            way_out = "move it to one side, or leave out dataset.group"
            raise InputError(f"{picture.path}: is of the group {word!r}, which is in training, too; {way_out}")
    return numbers
