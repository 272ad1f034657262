"""Files of a run that are damaged, in every way, and what the commands make of it.

A command may come to the same result bit for bit, or name what is wrong; it may never come to another result without a
word, fail in words for programmers, hang, or change a finished summary.
"""

import os
import random
import re
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
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

COMMANDS = {
    "resume of a half-done run": ("resume",),
    "resume of a completed run": ("resume",),
    "resume --repair": ("resume", "--repair"),
    "evaluate": ("evaluate",),
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
    r"\.hydra/.*": "Hydra's",
}


def kind(name: str) -> str:
    return next((kind for pattern, kind in KINDS.items() if re.fullmatch(pattern, name)), name)


class Damage:
    """A completed run and a half-done one, and another that lends its files."""

    def __init__(self, folder: Path, whole: Path | None = None) -> None:
        self.folder = folder
        case = Case.of(*OVERRIDES)
        self.whole = whole or case.undisturbed(folder / "whole")
        self.other = Case.of(*OVERRIDES, "seed=1").undisturbed(folder / "other")
        half = folder / "half"
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            helpers.interrupted(half, "generation_1", 4, pytest.MonkeyPatch(), *OVERRIDES)
        evaluated = Path(shutil.copytree(self.whole, folder / "evaluated"))
        assert done(lambda: sdrun("evaluate", evaluated)).code == 0
        (self.evaluation,) = (evaluated / "evaluations").iterdir()
        self.sources = {command: half if "half" in command else self.whole for command in COMMANDS}

    def _lent(self, name: str) -> Path:
        """Another run's file of the name; of views, whose names have the time, and of checkpoints the like."""
        name = re.sub(r"events.*", "events*", re.sub(r"step_\d+", "last", name))
        return next(self.other.glob(name))

    def trials(self, command: str) -> list[tuple[str, str]]:
        """All files of the run that the command is given, in all ways."""
        source = self.sources[command]
        files = [file.relative_to(source).as_posix() for file in sorted(source.rglob("*")) if file.is_file()]
        return [(name, way) for name in files for way in WAYS]

    def one(self, command: str, name: str, way: str, figures: Figures) -> None:
        source = self.sources[command]
        compared = self._as_evaluated if command == "evaluate" else self._as_whole
        path = self.folder / "run"
        _remove(path)
        shutil.copytree(source, path)
        WAYS[way](path / name, self._lent(name))
        before = helpers.tree(path)
        ending = done(lambda: sdrun(*COMMANDS[command], path), limit=60)
        outcome, detail = self._outcome(path, name, ending, compared)
        if outcome == FAILED and way == "deleted" and kind(name) == "weights" and ending.code == 0:
            outcome = "pruned"  # a person may delete weights that nobody needs
        if "completed" in command and outcome != FAILED and self._is_changed(before, path):
            outcome, detail = FAILED, "the folder was written to"
        if source is self.whole and outcome != FAILED and self._summary_is_other(path, name):
            outcome, detail = FAILED, "the summary was changed"
        figures.add(kind(name), outcome, f"{command}, {name}, {way}: {detail}")

    def _outcome(self, path: Path, name: str, ending: Ending, compared: Callable[[Path], list[str]]) -> tuple[str, str]:
        if fault := ending.fault():
            return FAILED, fault
        text = ending.text
        if (path / "manifest.json").is_file():
            with suppress(ValueError):
                text += "".join(helpers.manifest(path).get("damage", []))
        text = text.replace("\n", "")
        if is_named := name.rpartition("/")[2] in text:
            naming = "names the file"
        elif is_named := ending.code != 0 and str((path / name).parent) in text:
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

    def _summary_is_other(self, path: Path, name: str) -> bool:
        """Whether a finished summary, which nobody damaged, has another content."""
        ours, theirs = (folder / "summary.json" for folder in (path, self.whole))
        return name != ours.name and ours.read_bytes() != theirs.read_bytes()


def _differences(left: Path, right: Path) -> list[str]:
    """As ``helpers.differences``, of folders in which anything may lie."""
    read = (*right.glob("stages/*/*.pt"), *right.glob("predictions/*"), *right.glob("*.json*"))
    odd = [file.name for file in read if not file.is_file()]
    if odd:
        return [f"no files: {odd}"]
    try:
        return helpers.differences(left, right)
    except Exception as error:
        return [f"cannot be compared: {error!r}"]


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def campaign(damage: Damage, command: str, chance: random.Random, num: int | None) -> Figures:
    """All trials of a command, or ``num`` of them."""
    figures = Figures(f"Damage: {command}")
    trials = damage.trials(command)
    for name, way in trials if num is None else chance.sample(trials, num):
        damage.one(command, name, way, figures)
    return figures
