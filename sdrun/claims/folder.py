"""The folder of a claim: its runs, and ``claim.json``, which says what they are."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sdrun.claims.declaration import Declaration, declaration
from sdrun.errors import InputError, require
from sdrun.storage.files import write_bytes, write_json

FILE = "claim.json"
KEPT = ("config.yaml", "manifest.json", "summary.json")
SMALL = 100_000
"""Bytes of a file of predictions that is kept."""


class ClaimFolder:
    """``<arm>/seed_<seed>`` is a run; ``claim.json`` holds what was declared, chosen and run."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path, self.content = path, content

    @classmethod
    def begin(cls, path: Path, claim: Declaration) -> "ClaimFolder":
        """A new folder, or one that is there already, with what is declared now."""
        known = cls.open(path).content if (path / FILE).exists() else {"runs": {}}
        return cls(path, {**known, "declared": asdict(claim)})

    @classmethod
    def open(cls, path: Path) -> "ClaimFolder":
        """Raises InputError where ``path`` holds no claim that can be read."""
        try:
            content = json.loads((path / FILE).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise InputError(f"{path} holds no claim: {FILE} is not there") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path / FILE} cannot be read ({error})") from error
        parts = [content.get(key) for key in ("declared", "runs")] if isinstance(content, dict) else [None]
        is_whole = all(isinstance(part, dict) for part in parts)
        require(
            is_whole, str(path / FILE), "lacks what a claim's sweep writes; make it again by: sdrun -m experiment=..."
        )
        return cls(path, content)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def declared(self) -> Declaration:
        return declaration(self.content["declared"])

    def run(self, arm: str, seed: int) -> Path:
        return self.path / arm / f"seed_{seed}"

    def summary(self, arm: str, seed: int) -> dict[str, Any]:
        return json.loads((self.run(arm, seed) / "summary.json").read_text(encoding="utf-8"))

    def is_finished(self, arm: str, seed: int) -> bool:
        file = self.run(arm, seed) / "summary.json"
        return file.exists() and json.loads(file.read_text(encoding="utf-8"))["status"] == "completed"

    def add_run(self, arm: str, seed: int, overrides: list[str], settings: str) -> None:
        """Note that the run belongs to the claim. Raises InputError where another one lies in its place."""
        place = str(self.run(arm, seed).relative_to(self.path))
        known = self.content["runs"].get(place)
        if known and known["settings"] != settings and self.is_finished(arm, seed):
            raise InputError(f"{self.path / place} was run with other settings; move it away, or the whole claim")
        self.note(runs={**self.content["runs"], place: {"overrides": overrides, "settings": settings}})

    def note(self, **entries: Any) -> None:
        """Write further entries."""
        self.content.update(entries)
        write_json(self.path / FILE, self.content)


def find(paths: list[Path]) -> list[ClaimFolder]:
    """The claims in these folders and right below them. Raises InputError where one has none."""
    found = []
    for path in paths:
        places = [path] if (path / FILE).exists() else sorted(file.parent for file in path.glob(f"*/{FILE}"))
        if not places:
            raise InputError(f"{path} holds no claim; make its runs by: sdrun -m experiment=claim_NAME")
        found += [ClaimFolder.open(place) for place in places]
    return found


def keep(folder: ClaimFolder, target: Path) -> None:
    """Copy what the page needs of a claim's runs: settings, manifest, summary, and predictions where they are small.

    Paths in them that lie below the current folder become relative to it.
    """
    here = f"{Path.cwd()}/".encode()
    for place in folder.content["runs"]:
        files = [folder.path / place / name for name in KEPT]
        files += [file for file in (folder.path / place).glob("predictions/*") if file.stat().st_size <= SMALL]
        for file in filter(Path.exists, files):
            data = file.read_bytes()
            write_bytes(
                target / file.relative_to(folder.path), data if file.suffix == ".npz" else data.replace(here, b"")
            )
    write_bytes(target / FILE, (folder.path / FILE).read_bytes().replace(here, b""))
