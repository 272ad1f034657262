"""Documents of a folder that may come from anywhere, as plain values: JSON, and YAML without tags and anchors."""

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import yaml

from sdrun.settings.words import printable

if TYPE_CHECKING:
    import numpy as np

LARGEST_JSON = 16_000_000
LARGEST_YAML = 1_000_000
"""Bytes; a run's are a thousandth of it."""

DEEPEST = 40
MOST_DIGITS = 250
"""Longer integers become floats, infinite ones where they must, as ``1e999`` does."""

Base: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


class Unreadable(Exception):
    """A file or folder that cannot be read as what it should be; the message says why."""

    def __str__(self) -> str:
        return printable(super().__str__())


@contextmanager
def opened(file: Path, name: str | None = None) -> Iterator[BinaryIO]:
    """A regular file; a pipe in its place is not waited for. Raises Unreadable by its ``name`` where there is none."""
    name = name or file.name
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise Unreadable(f"{name} is not there") from error
    except (OSError, ValueError) as error:
        raise Unreadable(f"{name} cannot be read ({reason(error)})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable(f"{name} cannot be read (it is no regular file)")
    with open(descriptor, "rb") as lines:
        yield lines


def content(file: Path, most: int) -> bytes:
    """All of a regular file. Raises Unreadable where there is none, or one larger than ``most``."""
    with opened(file) as lines:
        if os.fstat(lines.fileno()).st_size > most:
            raise Unreadable(f"{file.name} cannot be read (it is larger than {most / 1e6:g} MB)")
        try:
            return lines.read()
        except OSError as error:
            raise Unreadable(f"{file.name} cannot be read ({reason(error)})") from error


def read_json(file: Path) -> dict[str, Any]:
    """An object of JSON, all of whose text can be printed. Raises Unreadable."""
    data = content(file, LARGEST_JSON)
    try:
        text = data.decode()
        document = json.loads(text, parse_int=_integer)
        if HALF_A_CHARACTER.search(text):
            json.dumps(document, ensure_ascii=False).encode()
        _require_plain(document)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{file.name} cannot be read ({reason(error)})") from error
    if not isinstance(document, dict):
        raise Unreadable(f"{file.name} holds no JSON object")
    return document


def read_yaml(file: Path) -> dict[str, Any]:
    """A mapping of scalars, lists and mappings. Raises Unreadable, also where it has anchors or tags."""
    data = content(file, LARGEST_YAML)
    try:
        if b"*" in data and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, Base)):
            raise ValueError("it has anchors")
        document = yaml.load(data.decode(), PlainLoader)
        _require_plain(document)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise Unreadable(f"{file.name} cannot be read ({reason(error)})") from error
    if not isinstance(document, dict):
        raise Unreadable(f"{file.name} holds no settings")
    return document


def read_arrays(folder: Path, name: str) -> dict[str, "np.ndarray"]:
    """All arrays of the ``.npz`` at ``name`` in a folder. Raises Unreadable, also where they are packed or objects."""
    import numpy as np

    with opened(folder / name, name) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            with np.load(file) as arrays:
                if sum(member.file_size for member in arrays.zip.infolist()) > size:
                    raise ValueError("it is packed, which sdrun does not do")
                return dict(arrays)
        except Exception as error:  # numpy and zipfile raise of any kind on bytes that are not theirs
            raise Unreadable(f"{name} cannot be read ({reason(error)})") from error


def reason(error: Exception) -> str:
    """The first line of an error."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0]


class PlainLoader(Base):
    """YAML of null, bool, int, float and text, in lists and mappings; a date is text."""

    yaml_constructors = {
        f"tag:yaml.org,2002:{name}": Base.yaml_constructors[f"tag:yaml.org,2002:{name}"]
        for name in ("null", "bool", "float", "str", "seq", "map")
    } | {None: Base.construct_undefined}

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Nothing is merged: ``<<`` is a tag that is not constructed."""

    def construct_integer(self, node: yaml.ScalarNode) -> float:
        text = self.construct_scalar(node)
        return super().construct_yaml_int(node) if len(text) <= MOST_DIGITS else float(text)


PlainLoader.add_constructor("tag:yaml.org,2002:int", PlainLoader.construct_integer)
PlainLoader.add_constructor("tag:yaml.org,2002:timestamp", PlainLoader.construct_yaml_str)


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)


def _require_plain(value: Any, depth: int = 0) -> None:
    """Raise ValueError where values are nested too deeply, or a key is no text."""
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"its key {key!r} is no text")
            _require_plain(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _require_plain(inner, depth + 1)
