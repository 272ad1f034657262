"""What kinds of values a run writes into its documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sdrun.storage.documents import Unreadable, read_json

Kinds = tuple[type, ...]
Shape = Any
"""Kinds of values; ``[shape]`` is a list of such, ``{key: shape}`` a mapping, where ``...`` stands for any key."""

TEXT: Kinds = (str,)
NUMBER: Kinds = (int, float)
PERHAPS: Kinds = (int, float, type(None))
ANY: Kinds = (str, int, float, bool, type(None), list, dict)

ANYTHING = {...: ANY}

RUN = {"status": TEXT, "method": TEXT, "model": TEXT, "dataset": TEXT, "overrides": [TEXT], "wall_seconds": NUMBER}
MANIFEST = {
    **RUN,
    "seed": (int,),
    "created": TEXT,
    "data": {...: TEXT},
    "items": {"kind": TEXT, "shape": [(int,)], "num_values": PERHAPS, "num_train": (int,), "classes": [TEXT]},
    "versions": {...: TEXT},
    "plugins": {...: TEXT},
    "git": {"commit": TEXT},
    "hardware": {"threads": (int,), "ranks": (int,)},
    "teachers": {...: [{...: ANY}]},
    "init": {...: ANY},
    "resumed": [TEXT],
    "evaluates": TEXT,
    "files": {...: TEXT},
    "writing": {...: (*TEXT, type(None))},
    "record": {"bytes": (int,), "sha256": TEXT},
    "damage": [TEXT],
    "sha256": TEXT,
}
COMPUTE = {"steps": NUMBER, "samples": NUMBER, "multiply_adds": NUMBER, "seconds": NUMBER}
STAGE = {
    "name": TEXT,
    "metrics": {...: ANY},
    "steps": PERHAPS,
    "seconds": PERHAPS,
    "samples": PERHAPS,
    "multiply_adds": PERHAPS,
    "sha256": {...: TEXT},
    "networks": {...: TEXT},
    "declared": {...: {...: ANY}},
    "other": TEXT,
}
METRIC = {"better": TEXT, "unit": TEXT, "title": TEXT, "shown": (bool,)}
SUMMARY = {
    **RUN,
    "error": TEXT,
    "metrics": {...: ANY},
    "declared": {...: METRIC},
    "compute": COMPUTE,
    "stages": [STAGE],
}
MAY_BE_NULL = ("versions", "git", "init", "record", "silent", "uninformed", "labels", "pretrain")
"""Keys, also of a claim."""


def read_shaped(path: Path, shape: Shape, needed: tuple[str, ...], format_: int) -> dict[str, Any]:
    """A document of this shape and format, which has what is ``needed``. Raises Unreadable where it is another."""
    document = read_json(path)
    require_shape(path.name, document, shape, needed)
    if document["format"] != format_:
        raise Unreadable(f"{path.name} has format {document['format']}; this sdrun reads format {format_}")
    return document


def require_shape(name: str, document: dict[str, Any], shape: Shape, needed: tuple[str, ...]) -> None:
    """Raise Unreadable where a document lacks a key that is needed, or has another kind of value."""
    lacking = [key for key in needed if key not in document]
    if lacking:
        raise Unreadable(f"{name} lacks {', '.join(lacking)}")
    wrong = list(dict.fromkeys(misfits(document, shape)))
    if wrong:
        raise Unreadable(f"{name} has another kind of value as {', '.join(wrong[:5])} than sdrun writes")


def require_names(name: str, stages: list[dict[str, Any]]) -> None:
    """Raise Unreadable unless each stage has a name of its own, that can be a file's beside others."""
    names = [stage.get("name", "") for stage in stages]
    is_plain = all(word not in ("", ".", "..") and not {"/", "\0"} & set(word) for word in names)
    if len(set(names)) < len(names) or not is_plain:
        raise Unreadable(f"{name} has stages without a name of their own")


def misfits(value: Any, shape: Shape, key: str = "") -> Iterator[str]:
    """The dotted keys of values that are not of the shape; keys that it does not name are not looked at."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield key
            return
        for name, inner in value.items():
            expected = shape.get(name, shape.get(...))
            if expected is not None and (inner is not None or name not in MAY_BE_NULL):
                yield from misfits(inner, expected, f"{key}.{name}" if key else name)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield key
            return
        for inner in value:
            yield from misfits(inner, shape[0], key)
    elif type(value) not in shape:  # a bool is no int here
        yield key
