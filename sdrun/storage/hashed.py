"""Files of a run, each with its hash in the manifest, which announces it before it is written. Imports no torch."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdrun.errors import InputError, RunError
from sdrun.storage import manifest as manifests
from sdrun.storage.documents import Unreadable, read_json, read_yaml
from sdrun.storage.files import digest, json_bytes, write_bytes
from sdrun.storage.manifest import Manifest, State
from sdrun.storage.place import asking_doctor, resuming
from sdrun.storage.shape import ANYTHING, STAGE, Shape, require_names, require_shape

log = logging.getLogger(__name__)

ANEW = "restore it from a copy, or start the run anew"


class HashedFiles:
    """The files below ``path``, and the manifest that knows them."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 by path."""
        return self.manifest.setdefault("files", {})

    def write(self, contents: Mapping[str, bytes], **entries: Any) -> None:
        """Write files by their path, and then ``entries`` of the manifest; see ``manifest`` for kills in between."""
        self.require_there()
        self.settle()
        self.manifest["writing"] = {
            name: self.files.get(name) or manifests.digest_of(self.path / name) for name in contents
        }
        self.files.update({name: digest(data) for name, data in contents.items()})
        self.write_manifest()
        for name, data in contents.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self.path / name, data)
        del self.manifest["writing"]
        self.update_manifest(**entries)

    def document(self, name: str, shape: Shape = ANYTHING, needed: tuple[str, ...] = ()) -> dict[str, Any]:
        """What a file of JSON or YAML says. Raises InputError where it is gone or damaged, or no such document."""
        read = read_yaml if name.endswith(".yaml") else read_json
        try:
            document = read(self.path / name)
            manifests.require_whole(self.manifest, self.path, name)
            require_shape(name, document, shape, needed)
            require_names(name, document.get("stages", [document] if shape is STAGE else []))
        except Unreadable as error:
            way_out = ANEW if name == "config.yaml" else f"see: {asking_doctor(self.path)}"
            raise InputError(f"{self.path}: {error}; {way_out}") from error
        return document

    def adopt(self, place: str) -> None:
        """Take the hashes of the files that something else wrote below ``place``; the manifest is not written yet."""
        self.forget(place)
        for file in sorted((self.path / place).glob("*")):
            if file.is_file():
                self.files[file.relative_to(self.path).as_posix()] = digest(file.read_bytes())

    def forget(self, place: str) -> None:
        """Leave out the hashes of the files right in ``place``; the manifest is not written yet."""
        for name in [name for name in self.files if name.rpartition("/")[0] == place]:
            del self.files[name]

    def state(self, name: str) -> State:
        """How a file is held against its hash."""
        return manifests.state(self.manifest, self.path, name)

    def lost(self, *places: str) -> list[str]:
        """Files that are gone or damaged and can be made again: these, and those right in these folders; or of all."""
        made = [name for name in self.files if name != "config.yaml" and not name.startswith(".hydra/")]
        names = [name for name in made if not places or name in places or name.rpartition("/")[0] in places]
        return [name for name in names if self.state(name) in (State.absent, State.damaged)]

    def require_there(self) -> None:
        """Raise RunError where the folder was moved away or deleted."""
        if not (self.path / manifests.FILE).exists():
            raise RunError(
                f"{self.path} is gone, moved or deleted while the run was under way; where it was moved, go on with it "
                f"by: {resuming('FOLDER')}"
            )

    def note_damage(self, text: str) -> None:
        """Warn of what cannot be made good, and keep it in the manifest; that is not written yet."""
        log.warning("%s", text)
        self.manifest.setdefault("damage", []).append(text)

    def settle(self) -> bool:
        """Keep the hashes of what is there, where a kill or an error came between announcing a file and writing it.

        Returns whether there was anything to settle; the manifest is not written yet.
        """
        writing: dict[str, str | None] = self.manifest.pop("writing", {})
        for name, before in writing.items():
            if manifests.digest_of(self.path / name) != before:
                continue
            if before is None:
                self.files.pop(name, None)
            else:
                self.files[name] = before
        return bool(writing)

    def update_manifest(self, **entries: Any) -> None:
        self.manifest.update(entries)
        self.write_manifest()

    def write_manifest(self) -> None:
        self.manifest = manifests.sealed(self.manifest)
        write_bytes(self.path / manifests.FILE, json_bytes(self.manifest))
