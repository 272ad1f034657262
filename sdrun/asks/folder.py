"""``ask.json`` in the folder of a sweep: what was asked, what was decided on the way, and how much time was given."""

import json
import os
from pathlib import Path
from typing import Any

from filelock import FileLock

from sdrun.asks.declaration import Asked, asked
from sdrun.claims.members import MEMBER
from sdrun.errors import InputError, require
from sdrun.settings.words import printable
from sdrun.storage.documents import Unreadable
from sdrun.storage.files import write_json
from sdrun.storage.shape import ANYTHING, NUMBER, TEXT, read_shaped

FILE = "ask.json"
FORMAT = 1

SIGHT = {
    "kind": TEXT,
    "num": (int,),
    "num_labelled": (int,),
    "num_classes": (int,),
    "num_validation": (int,),
    "num_test": (int,),
    "rarest": (int,),
    "commonest": (int,),
    "network": TEXT,
    "alone": NUMBER,
    "together": NUMBER,
    "at_once": (int,),
}
PLAN = {
    "candidates": [TEXT],
    "left_out": {...: TEXT},
    "trials": (int,),
    "tuning_seeds": [(int,)],
    "lengths": [NUMBER],
    "num_seeds": (int,),
    "seconds": {...: NUMBER},
    "left": NUMBER,
    "tuning": NUMBER,
    "pair": NUMBER,
    "controls": NUMBER,
}
LOOK = {"num": (int,), "share": NUMBER}
SHAPE = {
    "format": (int,),
    "asked": ANYTHING,
    "grants": [NUMBER],
    "spent": NUMBER,
    "noted": NUMBER,
    "sight": SIGHT,
    "plan": PLAN,
    "members": {...: MEMBER},
    "plain": TEXT,
    "finalists": [TEXT],
    "arms": [TEXT],
    "looks": [LOOK],
    "planned_for": (int,),
    "controls": {...: (int,)},
}


class AskFolder:
    """What has been decided stays decided, however often the ask is gone on with."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path, self.content = path, content

    @classmethod
    def begin(cls, path: Path, now: Asked) -> "AskFolder":
        """The one that is there, or a new one. Raises InputError as ``open``, and where another thing was asked."""
        if not os.path.lexists(path / FILE):
            return cls(path, {"format": FORMAT, "grants": [], "spent": 0.0})
        there = cls.open(path)
        before, asked_now = there.asked.to_json(), now.to_json()
        changed = [key for key in asked_now if asked_now[key] != before[key]]
        other = f"was asked with another {', '.join(changed)}, which is another question; ask anew, in another folder"
        require(not changed or "plan" not in there.content, printable(str(path / FILE)), other)
        return there

    @classmethod
    def open(cls, path: Path) -> "AskFolder":
        """Raises InputError where ``path`` holds no ask that can be read."""
        try:
            document = read_shaped(path / FILE, SHAPE, ("format", "grants", "spent"), FORMAT)
            for arm in (*document.get("arms", []), *document.get("controls", {})):
                if not arm.isidentifier():
                    raise Unreadable(f"{FILE} names the arm {arm}, which is no folder of an ask")
        except Unreadable as error:
            raise InputError(f"{printable(str(path))} holds no ask: {printable(str(error))}") from error
        return cls(path, document)

    @property
    def name(self) -> str:
        return Path(os.path.abspath(self.path)).name

    @property
    def asked(self) -> Asked:
        """Raises InputError where what was asked does not hold together."""
        values, file = self.content.get("asked", {}), printable(str(self.path / FILE))
        require("${" not in json.dumps(values), file, "what was asked refers to something else")
        return asked(values)

    def note(self, **entries: Any) -> None:
        """Write further entries, in the place of those of the same name."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / f".{FILE}.lock"):
            self.content = {**self.content, **entries}
            write_json(self.path / FILE, self.content)
