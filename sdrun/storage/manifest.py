"""``manifest.json``: what a run is, the hashes of its files, and the hash of itself. Imports no torch.

``files`` has the SHA-256 of each file by its path in the folder. A file is announced there before it is written, and
``writing`` keeps the hash that it had before, null where it was not there; so a kill between the two is told from
damage. ``record`` has length and hash of the part of ``metrics.jsonl`` that finished stages wrote. Folders of format 1
have none of these: their files are unverified.
"""

import json
from enum import Enum
from pathlib import Path
from typing import Any

from sdrun.errors import InputError
from sdrun.storage.files import digest, finite

FILE = "manifest.json"
FORMAT = 2
READABLE = (1, 2)

Manifest = dict[str, Any]


class State(Enum):
    """How a file is held against its hash; ``unverified``: it has none."""

    whole = "whole"
    unverified = "unverified"
    absent = "absent"
    damaged = "damaged"


def sealed(manifest: Manifest) -> Manifest:
    """The same with the hash of all its other entries, in the format of today."""
    content = finite({**manifest, "format": FORMAT})
    return {**content, "sha256": _own_digest(content)}


def parse(data: bytes, file: Path) -> Manifest:
    """A manifest as it was written. Raises InputError where it is damaged or of another format."""
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} cannot be read ({error}); start the run anew") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files", {}), dict):
        raise InputError(f"{file} is no manifest of a run; start the run anew")
    if "sha256" in manifest and manifest["sha256"] != _own_digest(manifest):
        raise InputError(f"{file} is damaged: its SHA-256 is not the one inside it; restore it, or start the run anew")
    if manifest.get("format") not in READABLE:
        readable = " and ".join(map(str, READABLE))
        raise InputError(f"{file.parent} has format {manifest.get('format')}; this sdrun reads formats {readable}")
    return manifest


def state(manifest: Manifest, folder: Path, name: str) -> State:
    """How the file ``name`` of a run folder is held against the manifest."""
    expected = manifest.get("files", {}).get(name)
    before = manifest.get("writing", {}).get(name, expected)
    current = digest_of(folder / name)
    if current is None:
        return State.absent
    if expected is None:
        return State.unverified
    return State.whole if current in (expected, before) else State.damaged


def require_whole(manifest: Manifest, folder: Path, name: str) -> None:
    """Raise InputError where the file ``name`` is not there, or is not what the run wrote."""
    current = state(manifest, folder, name)
    if current is State.absent:
        raise InputError(f"{folder / name} is not there; restore it from a copy, or start the run anew")
    if current is State.damaged:
        raise InputError(
            f"{folder / name} is damaged: its SHA-256 is not the one in {FILE}; restore it from a copy, or start the "
            "run anew"
        )


def digest_of(file: Path) -> str | None:
    """The hash of a regular file; None where there is none."""
    return digest(file.read_bytes()) if file.is_file() else None


def begins_with(data: bytes, recorded: dict[str, Any] | None) -> bool:
    """Whether a record begins with the part that a manifest has the hash of."""
    return recorded is None or digest(data[: recorded["bytes"]]) == recorded["sha256"]


def _own_digest(manifest: Manifest) -> str:
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    return digest(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
