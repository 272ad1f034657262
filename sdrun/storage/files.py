"""Files that are whole or absent: written beside, flushed, and renamed. Imports no torch."""

import json
import math
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

TEMPORARY = ".sdrun-part"
"""What the name of a file ends in while it is written; no other program's does."""


def write_bytes(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` at once: after a kill or a full disk the old content is still there.

    A link at ``path`` is replaced, and what it points to left alone. The folder must be there.
    """
    part = path.with_name(f"{path.name}{TEMPORARY}")
    try:
        part.unlink(missing_ok=True)
        with part.open("xb") as file:  # follows no link
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error
    _sync_folder(path.parent)


def json_bytes(content: Any) -> bytes:
    """JSON for people and programs; a number that is not finite becomes null."""
    return (json.dumps(finite(content), indent=2, allow_nan=False) + "\n").encode()


def write_json(path: Path, content: Any) -> None:
    """See ``write_bytes`` and ``json_bytes``."""
    write_bytes(path, json_bytes(content))


def finite(content: Any) -> Any:
    """The same content with None for every number that JSON cannot hold."""
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return sha256(data).hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed write left in ``folder`` itself."""
    for part in folder.glob(f"*{TEMPORARY}"):
        with suppress(OSError):
            part.unlink()


def keep_apart(path: Path) -> None:
    """Give ``path`` a content of its own where it shares one with a hard link, such as that of a snapshot."""
    if path.exists() and path.stat().st_nlink > 1:
        write_bytes(path, path.read_bytes())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
