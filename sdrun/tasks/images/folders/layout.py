"""Which class and which part of a dataset an image belongs to, by the names of its folders or by a table."""

import os
from pathlib import Path
from typing import NamedTuple

from sdrun.data.tables import opened
from sdrun.errors import require

TRAIN, VALIDATION, TEST = "train", "val", "test"
PARTS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
"""What folders are called that hold a part of a dataset."""


PATH, LABEL, PART = "path", "label", "part"
"""Columns of a table of labels."""


class Placed(NamedTuple):
    """Class of an image, and its part and group, empty where nothing says them."""

    label: str
    part: str = ""
    group: str = ""


def by_folders(paths: list[str], key: str, root: str) -> dict[str, Placed]:
    """Where each image is placed that has a class: root/CLASS/..., or root/PART/CLASS/...

    paths: from ``root`` to the images. Raises InputError, which begins with ``key``, where no folder is a class.
    """
    require(bool(paths), key, f"{root} holds no images; a folder of it is a class, and its files are images")
    split = {path: path.split("/") for path in paths}
    firsts = {parts[0].lower() for parts in split.values() if len(parts) > 1}
    others = {PARTS.get(first, "") for first in firsts} - {TRAIN}
    is_parted = any(PARTS.get(first) == TRAIN for first in firsts) and others != {""}  # or it is a class
    if is_parted:
        inside = {path: parts for path, parts in split.items() if len(parts) > 2 and parts[0].lower() in PARTS}
        placed = {path: Placed(parts[1], PARTS[parts[0].lower()]) for path, parts in inside.items()}
        lacks = f"{root} has a folder for training and none for testing; name the training folder itself"
        require(any(place.part != TRAIN for place in placed.values()), key, lacks)
    else:
        placed = {path: Placed(parts[0]) for path, parts in split.items() if len(parts) > 1}
    ways = "put those of a class into a folder of its name, or name a table by dataset.labels=FILE.csv"
    require(bool(placed), key, f"{root} holds images, but no folder of a class; {ways}")
    return placed


def by_table(paths: list[str], file: Path, root: str, group: str | None) -> dict[str, Placed]:
    """Where the images are placed that a table names, by its columns path, label and, if it has them, part and group.

    Raises InputError that names the line which cannot be used.
    """
    there, placed = set(paths), dict[str, Placed]()
    with opened(file, "comma", "dataset.labels") as rows:
        path, label = rows.place("dataset.labels", PATH), rows.place("dataset.labels", LABEL)
        more = [rows.place("dataset.labels", name) if name in rows.header else None for name in (PART, group)]
        for line, cells in rows:
            name, where = os.path.normpath(cells[path].strip()), rows.at(line)
            require(name in there, where, f"{cells[path]!r} is no image below {root}; correct it, or remove such rows")
            require(name not in placed, where, f"{cells[path]!r} is there a second time; remove one")
            part, of_group = (cells[place].strip() if place is not None else "" for place in more)
            require(part.lower() in ("", *PARTS), where, f"its part is {part!r}; write train, val or test")
            require(bool(cells[label].strip()), where, "its label is empty; remove such rows")
            placed[name] = Placed(cells[label].strip(), PARTS.get(part.lower(), ""), of_group)
    return placed


def classes_of(labels: set[str], key: str) -> list[str]:
    """The classes, sorted. Raises InputError where they are none that a network could tell apart."""
    names = sorted(labels)
    require(bool(names), key, "has no images to train on; write train beside some in the table, or leave its part out")
    require(len(names) > 1, key, f"all images are of the class {names[0]!r}; name a folder that holds two or more")
    alike = dict[str, str]()
    for name in names:
        other = alike.setdefault(name.casefold(), name)
        clash = f"holds the classes {other!r} and {name!r}, the same but for capital letters; rename one"
        require(other == name, key, clash)
    return names
