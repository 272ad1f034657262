"""``manifest.json``: what a run is, the hashes of its files, and the hash of itself. Imports no torch.

``files`` has the SHA-256 of each file by its path in the folder. A file is announced there before it is written, and
``writing`` keeps the hash that it had before, null where it was not there; so a kill between the two is told from
damage. ``record`` has length and hash of the part of ``metrics.jsonl`` that finished stages wrote. Folders of format 1
have none of these: their files are unverified. Those before format 3 have settings of another kind, marks that do not
tell where networks lie in the weights, and metrics that nothing declares: they are read, but not gone on with.
"""

import json
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any

from sdrun.storage.documents import Unreadable, opened, read_json
from sdrun.storage.files import digest, finite, json_bytes, write_bytes
from sdrun.storage.shape import MANIFEST, require_shape

FILE = "manifest.json"
FORMAT = 4
READABLE = (1, 2, 3, 4)

NEEDED = ("status", "seed", "method", "dataset", "data")
"""Entries that tools cannot do without."""

WRITTEN = (*NEEDED, "model", "overrides", "hardware", "teachers", "wall_seconds", "resumed")
"""Entries that a run cannot go on without."""

Manifest = dict[str, Any]


class State(Enum):
    """How a file is held against its hash; ``unverified``: it has none."""

    whole = "whole"
    unverified = "unverified"
    absent = "absent"
    damaged = "damaged"


def sealed(manifest: Manifest) -> Manifest:
    """The same with the hash of all its other entries; a new one in the format of today."""
    content = finite({"format": FORMAT, **manifest})
    return {**content, "sha256": _own_digest(content)}


def read(folder: Path) -> Manifest:
    """The manifest of a run's folder, of the kinds of values that sdrun writes. Raises Unreadable."""
    manifest = read_json(folder / FILE)
    if manifest.get("format") not in READABLE:
        readable = ", ".join(map(str, READABLE))
        raise Unreadable(f"{FILE} has format {manifest.get('format')}; this sdrun reads formats {readable}")
    require_shape(FILE, manifest, MANIFEST, NEEDED)
    names = [*manifest.get("files", {}), *manifest.get("writing", {})]
    strange = [name for name in names if name.startswith("/") or ".." in name.split("/")]
    if strange:
        raise Unreadable(f"{FILE} names {strange[0]}, which is no file of the run")
    if "sha256" in manifest and manifest["sha256"] != _own_digest(manifest):
        raise Unreadable(f"{FILE} is damaged: its SHA-256 is not the one inside it")
    return manifest


def require_entries(manifest: Manifest) -> None:
    """Raise Unreadable where an entry is missing that a run cannot go on without."""
    lacking = [key for key in WRITTEN if key not in manifest]
    if lacking or "ranks" not in manifest["hardware"]:
        raise Unreadable(f"{FILE} lacks {', '.join(lacking) or 'hardware.ranks'}")


def reseal(folder: Path) -> None:
    """Give a copy of a run, whose files may be fewer and may have been changed on purpose, hashes of its own."""
    manifest = read_json(folder / FILE)
    if "files" in manifest:
        digests = {name: digest_of(folder / name) for name in manifest["files"]}
        files = {name: value for name, value in digests.items() if value}
        manifest.pop("writing", None)
        write_bytes(folder / FILE, json_bytes(sealed({**manifest, "files": files, "record": None})))


def state(manifest: Manifest, folder: Path, name: str) -> State:
    """How the file ``name`` of a run folder is held against the manifest."""
    expected = manifest.get("files", {}).get(name)
    if expected is None:
        return State.unverified if (folder / name).is_file() else State.absent
    current = digest_of(folder / name)
    before = manifest.get("writing", {}).get(name, expected)
    if current is None:
        return State.absent
    return State.whole if current in (expected, before) else State.damaged


def require_whole(manifest: Manifest, folder: Path, name: str) -> None:
    """Raise Unreadable where a file is not what the run wrote; one that is not there is told by whoever reads it."""
    if state(manifest, folder, name) is State.damaged:
        raise Unreadable(f"{name} is damaged: its SHA-256 is not the one in {FILE}")


def digest_of(file: Path) -> str | None:
    """The hash of a regular file; None where there is none."""
    digest = sha256()
    try:
        with opened(file) as content:
            for part in iter(lambda: content.read(1 << 20), b""):
                digest.update(part)
    except (Unreadable, OSError):
        return None
    return digest.hexdigest()


def begins_with(data: bytes, recorded: dict[str, Any] | None) -> bool:
    """Whether a record begins with the part that a manifest has the hash of."""
    return recorded is None or digest(data[: recorded["bytes"]]) == recorded["sha256"]


def _own_digest(manifest: Manifest) -> str:
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    return digest(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
