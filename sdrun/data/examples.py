"""Items and their labels as files of one's own have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdrun.data.arrays import Arrays, explained, opened
from sdrun.data.tables import some
from sdrun.errors import require
from sdrun.settings import DatasetSettings, OwnSettings

PARTS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
"""What items are for, and the words that say so."""

ROOT = "dataset.root"
"""The key of the file that has to say what belongs together, if that is asked for."""


@dataclass(frozen=True)
class Examples:
    """Items ``x`` [N, ...], their labels ``y`` [N] or [N, K], and their ``groups`` [N], None where there are none.

    ``names``: what each of the three is called in the file. Of a table also the ``lines`` [N] at which items begin, and
    the ``columns`` of their numbers.
    """

    path: Path
    x: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None
    names: Mapping[str, str]
    lines: np.ndarray | None = None
    columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    def place(self, what: str) -> str:
        """What an error says of where ``x``, ``y`` or ``groups`` are."""
        return f"{self.path}, {self.names[what]}"

    def at(self, what: str, row: int) -> str:
        """What an error says of where one item's are."""
        return f"{self.place(what)}[{row}]" if self.lines is None else f"{self.path}, line {self.lines[row]}"


Read = Callable[[Path, str], dict[str, Examples]]
"""``read(path, key)``: what is in a file by what it is for; all is ``train`` where nothing says so."""


def by_part(settings: OwnSettings, read: Read) -> dict[str, Examples]:
    """What is in ``dataset.root`` by what it is for; what is in ``dataset.test_file`` is for testing."""
    require(settings.root is not None, "dataset.root", "is missing; name your file: dataset.root=FILE")
    root = Path(str(settings.root)).expanduser()
    parts = read(root, ROOT)
    if settings.test_file is None:
        is_free = settings.test_share is None or "test" not in parts
        require(is_free, "dataset.test_share", f"has no effect: {root} says what is tested on; leave it out")
        return parts
    file = Path(settings.test_file).expanduser()
    others = read(file, "dataset.test_file")
    is_another = not file.samefile(root)
    require(is_another, "dataset.test_file", "is dataset.root itself, and would tell of training; name another")
    return {**parts, "test": others["test"] if "test" in others else others["train"]}


def in_arrays(settings: OwnSettings, path: Path, key: str) -> dict[str, Examples]:
    """What is in arrays ``x`` and ``y``, or ``train_x``, ``y_test`` and so on; see ``Read``.

    Raises InputError that names the file, and the array or the setting, that cannot be used.
    """
    arrays = opened(path, key)
    words = {"x": settings.x or "x", "y": settings.y or "y"} | ({"groups": settings.group} if settings.group else {})
    whole = {what: arrays.called({word.lower()}) for what, word in words.items()}
    parts = {
        part: {what: arrays.called(_compounds(word.lower(), titles)) for what, word in words.items()}
        for part, titles in PARTS.items()
    }
    train = parts["train"]
    if whole["x"]:
        require(not train["x"], str(path), f"holds {whole['x']} and {train['x']}; leave out one of them")
        parts["train"] = whole
    return {
        part: _examples(arrays, names, words, part, needs_groups=part == "train" and key == ROOT)
        for part, names in parts.items()
        if names["x"] is not None or (part == "train" and (key == ROOT or not parts["test"]["x"]))
    }


def without_labels(settings: DatasetSettings, path: Path) -> Examples:
    """The items of an array in a file of its own, or of the one that the settings name in a file or folder of several.

    Their labels are not known: all are 0. Raises InputError where no array can be read.
    """
    if path.suffix == ".npy":
        require(path.is_file(), str(path), "is no file; name one")
        name = "its array"
        with explained(path):
            x = np.load(path, mmap_mode="r", allow_pickle=False)
    else:
        arrays = opened(path, str(path))
        word = (settings.x if isinstance(settings, OwnSettings) else None) or "x"
        called = arrays.called({word.lower()})
        require(called is not None, str(path), f"holds no array {word!r}, only {some(arrays.names)}; rename one")
        name = str(called)
        x = arrays[name]
    require(x.ndim > 0 and len(x) > 0, f"{path}, {name}", "holds no items")
    return Examples(path, x, np.zeros(len(x), dtype=np.int64), None, {"x": name})


def _compounds(word: str, titles: tuple[str, ...]) -> set[str]:
    return {compound for title in titles for compound in (f"{title}_{word}", f"{word}_{title}")}


def _examples(
    arrays: Arrays, names: Mapping[str, str | None], words: Mapping[str, str], part: str, needs_groups: bool
) -> Examples:
    """Raises InputError where an array is not there, or has not one row for each item."""
    path, values, there = arrays.path, {}, {what: name for what, name in names.items() if name is not None}
    for what, word in words.items():
        wanted = f"{path} holds no array {word!r} or '{part}_{word}'"
        way_out = f"name the one that is meant, of {some(arrays.names)}"
        is_needed = what != "groups" or needs_groups
        require(what in there or not is_needed, f"dataset.{what.removesuffix('s')}", f"{wanted}; {way_out}")
    for what, name in there.items():
        values[what] = array = arrays[name]
        require(array.ndim > 0 and len(array) > 0, f"{path}, {name}", "holds no items")
        num, differs = len(values["x"]), f"has {len(array)} rows for the items of {there['x']}"
        require(len(array) == num, f"{path}, {name}", f"{differs}, which are {num}; write one for each")
    return Examples(path, values["x"], values["y"], values.get("groups"), there)
