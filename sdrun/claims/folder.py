"""The folder of a claim: its runs, and ``claim.json``, which says what they are."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filelock import FileLock

from sdrun.claims.declaration import BASELINE, EQUAL, METHOD, PRETRAIN, SIDES, Declaration, declaration
from sdrun.claims.members import MEMBER
from sdrun.comparison.runs import read
from sdrun.errors import InputError, require
from sdrun.settings.words import printable
from sdrun.storage import manifest as manifests
from sdrun.storage.documents import Unreadable, content, read_json
from sdrun.storage.files import write_bytes, write_json
from sdrun.storage.shape import TEXT, require_shape

FILE = "claim.json"
KEPT = ("config.yaml", "manifest.json", "summary.json")
SMALL = 100_000
"""Bytes of a file of predictions that is kept."""

LARGEST = 16_000_000
"""Bytes of any other."""

SHAPE = {
    "declared": {arm: [TEXT] for arm in ("baseline", "method", "silent", "uninformed", "labels", "pretrain")}
    | {"further": {...: [TEXT]}},
    "runs": {...: {"overrides": [TEXT]}},
    "members": {...: MEMBER},
    "chosen": {...: TEXT},
}
REWORDED = ("statement", "beside")
"""What may be declared anew of a claim that has results, for nothing is judged by it."""

PLACE = re.compile(r"(?P<arm>\w[\w.+-]*(?:/\w[\w.+-]*)?)/seed_(?P<seed>\d{1,100})")
AGAIN = "move it away, and make it again by: sdrun -m experiment=claim_NAME"


class ClaimFolder:
    """``<arm>/seed_<seed>`` is a run; ``claim.json`` holds what was declared, chosen and run.

    ``open`` and ``begin`` give one whose content has the kinds of values that a sweep writes, and whose runs lie in it.
    """

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path, self.content = path, content

    @classmethod
    def begin(cls, path: Path, claim: Declaration) -> "ClaimFolder":
        """A new folder, or one that is there already, with what is declared now.

        Raises InputError where that is not what its results on paired seeds were judged by.
        """
        now = asdict(claim)
        if not os.path.lexists(path / FILE):
            return cls(path, {"runs": {}, "declared": now})
        there = cls.open(path)
        before = asdict(there.declared)
        changed = [key for key in now if now[key] != before[key] and key not in REWORDED]
        if changed and any("/" not in arm and arm != PRETRAIN for arm, _, _ in there.places()):
            told = f"declares {', '.join(changed)} otherwise than when its paired seeds ran; {AGAIN}"
            raise InputError(f"{printable(str(path / FILE))}: {told}")
        return cls(path, {**there.content, "declared": now})

    @classmethod
    def open(cls, path: Path) -> "ClaimFolder":
        """Raises InputError where ``path`` holds no claim that can be read, or one that is not whole."""
        try:
            document = read_json(path / FILE)
            require_shape(FILE, document, SHAPE, ("declared", "runs"))
            for name, member in document.get("members", {}).items():
                require_shape(f"{FILE}, members", member, {}, tuple(MEMBER))
                if member["name"] != name or member["side"] not in SIDES or not member["cost"] > 0:
                    raise Unreadable(f"{FILE} has a member {name} with another name, no side, or no cost")
            roles, names = document.get("chosen", {}), document.get("members", {})
            if (roles and roles.keys() != {METHOD, BASELINE, EQUAL}) or not names.keys() >= set(roles.values()):
                raise Unreadable(f"{FILE} does not say which of its members are method, baseline and equal")
            for place, entry in document["runs"].items():
                _require_place(path, place)
                require_shape(f"{FILE}, {place}", entry, {}, ("overrides",))
        except Unreadable as error:
            raise InputError(f"{printable(str(path))}: {error}; {AGAIN}") from error
        folder = cls(path, document)
        _ = folder.declared
        return folder

    @property
    def name(self) -> str:
        return Path(os.path.abspath(self.path)).name

    @property
    def declared(self) -> Declaration:
        """Raises InputError where what is declared does not hold together."""
        declared, file = self.content["declared"], printable(str(self.path / FILE))
        require("${" not in json.dumps(declared), file, f"its declaration refers to something else; {AGAIN}")
        try:
            return declaration(declared)
        except InputError as error:
            raise InputError(f"{file}: {printable(str(error))}; {AGAIN}") from error

    def run(self, arm: str, seed: int) -> Path:
        return self.path / arm / f"seed_{seed}"

    def places(self) -> Iterator[tuple[str, int, Path]]:
        """Arm, seed and folder of each run."""
        for place in self.content["runs"]:
            match = PLACE.fullmatch(place)
            assert match
            yield match["arm"], int(match["seed"]), self.path / place

    def add_runs(self, lines: Mapping[str, list[str]]) -> None:
        """Note that these runs belong to the claim, overrides by place."""
        self.note(runs={place: {"overrides": overrides} for place, overrides in lines.items()})

    def note(self, runs: Mapping[str, Any] = MappingProxyType({}), **entries: Any) -> None:
        """Write further entries beside those that are there by now, maybe by another process at the same claim."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / f".{FILE}.lock"):
            there = ClaimFolder.open(self.path).content if os.path.lexists(self.path / FILE) else {}
            runs = {**there.get("runs", {}), **self.content["runs"], **runs}
            self.content = {**there, **self.content, **entries, "runs": runs}
            write_json(self.path / FILE, self.content)


def find(paths: list[Path]) -> list[ClaimFolder]:
    """The claims in these folders and right below them. Raises InputError where one has none."""
    claims = []
    for path in paths:
        places = [path] if os.path.lexists(path / FILE) else sorted(file.parent for file in path.glob(f"*/{FILE}"))
        if not places:
            raise InputError(f"{printable(str(path))} holds no claim; make its runs by: sdrun -m experiment=claim_NAME")
        claims += [ClaimFolder.open(place) for place in places]
    return claims


def keep(folder: ClaimFolder, target: Path) -> None:
    """Copy what the page needs of a claim's runs: settings, manifest, summary, and predictions where they are small.

    Paths in them that lie below the current folder become relative to it. Raises InputError where a link would be
    copied, or written through.
    """
    here = f"{Path.cwd()}/".encode()
    files = [folder.path / FILE]
    for _, _, run in folder.places():
        predictions = sorted(run.glob("predictions/*.npz"))
        files += [file for file in (run / name for name in KEPT) if os.path.lexists(file)]
        files += [file for file in predictions if file.is_symlink() or file.stat().st_size <= SMALL]
    for _, _, run in folder.places():
        _require_whole(run)
    copies = {file: target / file.relative_to(folder.path) for file in files}
    for file, copy in copies.items():
        _require_no_link(folder.path, file)
        _require_no_link(target.parent, copy)
    for file, copy in copies.items():
        try:
            data = content(file, LARGEST)
        except Unreadable as error:
            raise InputError(f"{printable(str(file.parent))}: {error}") from error
        copy.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(copy, data if file.suffix == ".npz" else data.replace(here, b""))
    for place in folder.content["runs"]:
        if (target / place / manifests.FILE).exists():
            manifests.reseal(target / place)


def _require_whole(path: Path) -> None:
    """Raise InputError where what would be kept of a run is damaged: in the copy it would have a hash of its own."""
    if not os.path.lexists(path / manifests.FILE):
        return
    try:
        run = read(path)
        for file in path.glob("predictions/*.npz"):
            manifests.require_whole(run.manifest, path, file.relative_to(path).as_posix())
    except Unreadable as error:
        raise InputError(f"{printable(str(path))}: {error}; mend it before it is kept") from error


def _require_place(path: Path, place: str) -> None:
    """Raise Unreadable unless a run's place is below the claim's folder, also where links lead."""
    if not PLACE.fullmatch(place):
        raise Unreadable(f"{FILE} names the run {place}, which is no ARM/seed_N of the claim")
    if not os.path.realpath(path / place).startswith(os.path.realpath(path) + os.sep):
        raise Unreadable(f"{FILE} names the run {place}, which a link takes out of the claim")


def _require_no_link(top: Path, file: Path) -> None:
    for place in (file, *file.parents):
        if place == top:
            return
        require(not place.is_symlink(), printable(str(place)), "is a link; --keep copies files alone, and into folders")
