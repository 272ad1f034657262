"""Files that are whole or absent: written beside, flushed, and renamed. Imports no torch."""

import json
import math
import os
from pathlib import Path
from typing import Any

TEMPORARY = ".part"


def write_bytes(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` at once: after a kill or a full disk the old content is still there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}{TEMPORARY}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    _sync_folder(path.parent)


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people and programs; a number that is not finite becomes null."""
    write_bytes(path, (json.dumps(finite(content), indent=2, allow_nan=False) + "\n").encode())


def finite(content: Any) -> Any:
    """The same content with None for every number that JSON cannot hold."""
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed write left in ``folder`` and below."""
    for part in folder.rglob(f"*{TEMPORARY}"):
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
