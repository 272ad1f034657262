"""Which class and which part of a dataset an image belongs to, by the names of its folders."""

from sdrun.errors import require

TRAIN, VALIDATION, TEST = "train", "val", "test"
PARTS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
"""What folders are called that hold a part of a dataset."""


def by_folders(paths: list[str], key: str, root: str) -> dict[str, tuple[str, str]]:
    """Class and part, empty where none is said, of each path that has a class: root/CLASS/..., or root/PART/CLASS/...

    paths: from ``root`` to the images. Raises InputError, which begins with ``key``, where no folder is a class.
    """
    require(bool(paths), key, f"{root} holds no images; a folder of it is a class, and its files are images")
    split = {path: path.split("/") for path in paths}
    is_parted = any(PARTS.get(parts[0].lower()) == TRAIN for parts in split.values() if len(parts) > 1)
    if is_parted:
        inside = {path: parts for path, parts in split.items() if len(parts) > 2 and parts[0].lower() in PARTS}
        placed = {path: (parts[1], PARTS[parts[0].lower()]) for path, parts in inside.items()}
        others = {part for _, part in placed.values()} - {TRAIN}
        lacks = f"{root} has a folder for training and none for testing; name the training folder itself"
        require(bool(others), key, lacks)
    else:
        placed = {path: (parts[0], "") for path, parts in split.items() if len(parts) > 1}
    way_out = "put those of a class into a folder of its name"
    require(bool(placed), key, f"{root} holds images, but no folder of a class; {way_out}")
    return placed


def classes_of(labels: set[str], key: str) -> list[str]:
    """The classes, sorted. Raises InputError where they are none that a network could tell apart."""
    names = sorted(labels)
    require(len(names) > 1, key, f"all images are of the class {names[0]!r}; name a folder that holds two or more")
    alike = dict[str, str]()
    for name in names:
        other = alike.setdefault(name.casefold(), name)
        clash = f"holds the classes {other!r} and {name!r}, the same but for capital letters; rename one"
        require(other == name, key, clash)
    return names
