"""Files of a run that are damaged, in every way, and what the commands make of it.

A command may come to the same result bit for bit, or name what is wrong; it may never come to another result without a
word, fail in words for programmers, hang, or change a finished summary.
"""

import os
import random
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import helpers
from faults.child import Case, Ending, done, hygiene, sdrun
from faults.figures import FAILED, Figures

OVERRIDES = ("method=born_again", "generations=2", "checkpoint_seconds=0", "optim.select=best", "optim.epochs=2")


def _flip(place: float, bit: int) -> Callable[[Path, Path], None]:
    def flip(file: Path, other: Path) -> None:
        data = bytearray(file.read_bytes())
        if data:
            data[int((len(data) - 1) * place)] ^= 1 << bit
        file.write_bytes(data)

    return flip


def _replace(make: Callable[[Path, Path], object]) -> Callable[[Path, Path], None]:
    def replace(file: Path, other: Path) -> None:
        file.unlink()
        make(file, other)

    return replace


WAYS: dict[str, Callable[[Path, Path], object]] = {
    "deleted": lambda file, other: file.unlink(),
    "emptied": lambda file, other: file.write_bytes(b""),
    "cut in half": lambda file, other: os.truncate(file, file.stat().st_size // 2),
    "last byte gone": lambda file, other: os.truncate(file, max(file.stat().st_size - 1, 0)),
    "first bit flipped": _flip(0, 0),
    "middle bit flipped": _flip(0.5, 3),
    "high bit flipped": _flip(0.8, 7),
    "last bit flipped": _flip(1, 1),
    "zeros appended": lambda file, other: file.write_bytes(file.read_bytes() + bytes(100)),
    "another run's": lambda file, other: shutil.copyfile(other, file),
    "garbage": lambda file, other: file.write_bytes(random.Random(0).randbytes(3000)),
    "a folder": _replace(lambda file, other: file.mkdir()),
    "a FIFO": _replace(lambda file, other: os.mkfifo(file)),
}

KINDS = {
    r"\.lock": "lock",
    r"run\.log": "run.log",
    r"stages/.*/step_\d+\.pt": "checkpoint",
    r"stages/.*/step_\d+\.pt\.sha256": "hash of a checkpoint",
    r"stages/.*/\w+\.pt": "weights",
    r"stages/.*/\w+\.pt\.sha256": "hash of weights",
    r"stages/.*/done\.json": "done.json",
    r"predictions/.*": "predictions",
    r"tensorboard/.*": "TensorBoard",
}


def kind(name: str) -> str:
    return next((kind for pattern, kind in KINDS.items() if re.fullmatch(pattern, name)), name)


@dataclass
class Damage:
    """Two runs, of which one lends the other files; each completed and half done."""

    folder: Path

    def __post_init__(self) -> None:
        case = Case.of(*OVERRIDES)
        self.whole = case.undisturbed(self.folder / "whole")
        other = Case.of(*OVERRIDES, "seed=1").undisturbed(self.folder / "other")
        patch = pytest.MonkeyPatch()
        half, other_half = (
            helpers.interrupted(self.folder / name, "generation_1", 4, patch, *OVERRIDES, *more)
            for name, more in (("half", ()), ("other_half", ("seed=1",)))
        )
        evaluated = Path(shutil.copytree(self.whole, self.folder / "evaluated"))
        assert done(lambda: sdrun("evaluate", evaluated)).code == 0
        (self.evaluation,) = (evaluated / "evaluations").iterdir()
        self.commands: dict[str, tuple[Path, Path, Callable[[Path], int], Callable[[Path], list[str]]]] = {
            "resume of a half-done run": (half, other_half, lambda run: sdrun("resume", run), self._as_whole),
            "resume of a completed run": (self.whole, other, lambda run: sdrun("resume", run), self._as_whole),
            "resume --repair": (self.whole, other, lambda run: sdrun("resume", "--repair", run), self._as_whole),
            "evaluate": (self.whole, other, lambda run: sdrun("evaluate", run), self._as_evaluated),
        }

    def trials(self) -> list[tuple[str, str, str]]:
        """Command, file, way."""
        return [
            (command, file.relative_to(source).as_posix(), way)
            for command, (source, *_) in self.commands.items()
            for file in sorted(source.rglob("*"))
            if file.is_file()
            for way in WAYS
        ]

    def one(self, command: str, name: str, way: str, figures: Figures) -> None:
        source, other, work, compared = self.commands[command]
        path = self.folder / "run"
        _remove(path)
        shutil.copytree(source, path)
        place = (other / name).parent.glob("events*") if "events" in name else [other / name]
        WAYS[way](path / name, next(iter(place)))
        before = helpers.tree(path)
        ending = done(lambda: work(path), limit=60)
        outcome, detail = self._outcome(path, name, ending, compared)
        if "completed" in command and outcome != FAILED and self._is_changed(before, path):
            outcome, detail = FAILED, "the folder was written to"
        if source is self.whole and outcome != FAILED and self._summary_is_other(path, name, way):
            outcome, detail = FAILED, "the summary was changed"
        figures.add(kind(name), outcome, f"{command}, {name}, {way}: {detail}")

    def _outcome(self, path: Path, name: str, ending: Ending, compared: Callable[[Path], list[str]]) -> tuple[str, str]:
        if fault := ending.fault():
            return FAILED, fault
        text = ending.text
        with suppress(OSError, ValueError):
            text += "".join(helpers.manifest(path).get("damage", []))
        text = text.replace("\n", "")
        if is_named := name.rpartition("/")[2] in text:
            naming = "names the file"
        elif is_named := ending.code != 0 and (path.name in text or name.split("/")[-2:-1] == [text]):
            naming = "names the folder"
        if ending.code:
            return (naming, "") if is_named else (FAILED, f"unnamed: {ending.text}")
        wrong = compared(path)
        if wrong:
            return (naming, "") if is_named else (FAILED, f"{wrong} without a word: {ending.text}")
        return "equal", ""

    def _as_whole(self, path: Path) -> list[str]:
        return _differences(self.whole, path) or hygiene(path)

    def _as_evaluated(self, path: Path) -> list[str]:
        (made,) = (path / "evaluations").iterdir()
        return _differences(self.evaluation, made)

    @staticmethod
    def _is_changed(before: dict[str, tuple], path: Path) -> bool:
        """Whether anything but the lock, with which a folder is held, was written."""
        after = helpers.tree(path)
        return any(before.get(name) != after.get(name) for name in {*before, *after} - {".lock", "."})

    def _summary_is_other(self, path: Path, name: str, way: str) -> bool:
        """Whether a finished summary, which nobody damaged, has another content."""
        return (
            name != "summary.json"
            and (path / "summary.json").read_bytes() != (self.whole / "summary.json").read_bytes()
        )


def _differences(left: Path, right: Path) -> list[str]:
    """As ``helpers.differences``, of folders in which anything may lie."""
    odd = [file.name for file in right.rglob("*") if not (file.is_file() or file.is_dir())]
    if odd:
        return [f"no files: {odd}"]
    try:
        return helpers.differences(left, right)
    except Exception as error:
        return [f"cannot be compared: {error!r}"]


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def campaign(damage: Damage, chance: random.Random, num: int | None) -> list[Figures]:
    """All trials, or ``num`` of each command; a table a command."""
    tables = {command: Figures(command) for command in damage.commands}
    for command, table in tables.items():
        trials = [trial for trial in damage.trials() if trial[0] == command]
        for trial in trials if num is None else chance.sample(trials, num):
            damage.one(*trial, table)
    return list(tables.values())
