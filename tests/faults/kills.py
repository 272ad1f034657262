"""Runs that die, by SIGKILL or as if the power went, and go on; at the end nothing may tell them from one that did not.

Moments are those at which storage touches the disk: before and after each ``replace``, ``fsync`` and ``unlink``, and
after each line of the record.
"""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.child import Case, Ending, done, forked, hygiene
from faults.figures import FAILED, Figures
from helpers import differences, manifest
from sdrun.storage.files import TEMPORARY
from sdrun.storage.record import Record


@dataclass(frozen=True)
class Moment:
    """One touch of the disk: of which file, and whether it is about to come."""

    call: str
    path: Path
    is_before: bool

    def __str__(self) -> str:
        return f"{'before' if self.is_before else 'after'} {self.call} {self.path.name}"


def die(moment: Moment) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # a thread may have been faster than the signal


def _tear(path: Path, keep: float, zeros: bool) -> None:
    data = path.read_bytes()
    rest = b"\0" * (len(data) - int(len(data) * keep)) if zeros else b""
    path.write_bytes(data[: int(len(data) * keep)] + rest)


def die_with(keep: float, zeros: bool = False) -> Callable[[Moment], None]:
    """Die and leave only the first part of the file, zeros for the rest or nothing."""

    def torn(moment: Moment) -> None:
        _tear(moment.path, keep, zeros)
        die(moment)

    return torn


def die_in_line(zeros: bool) -> Callable[[Moment], None]:
    """Die and leave a part of the last line."""

    def torn(moment: Moment) -> None:
        size = moment.path.stat().st_size
        line = len(moment.path.read_bytes().splitlines(keepends=True)[-1])
        os.truncate(moment.path, size - line // 2)
        if zeros:
            os.truncate(moment.path, size)
        die(moment)

    return torn


def is_part(moment: Moment) -> bool:
    return moment.call == "fsync" and moment.is_before and moment.path.name.endswith(TEMPORARY)


def is_renamed(moment: Moment) -> bool:
    return moment.call == "replace" and not moment.is_before


def is_line(moment: Moment) -> bool:
    return moment.call == "log"


DEATHS: dict[str, tuple[Callable[[Moment], bool], Callable[[Moment], None]]] = {
    "before a call": (lambda moment: moment.is_before, die),
    "after a call": (lambda moment: not moment.is_before and not is_line(moment), die),
    "after a line": (is_line, die),
    "half a new file": (is_part, die_with(0.5)),
    "half a line": (is_line, die_in_line(zeros=False)),
    "zeros in a line": (is_line, die_in_line(zeros=True)),
    "renamed, half of it": (is_renamed, die_with(0.5)),
    "renamed, empty": (is_renamed, die_with(0.0)),
    "renamed, zeros": (is_renamed, die_with(0.0, zeros=True)),
}
"""How to die, by its name: at which moments, and what is done."""

DAMAGING = tuple(name for name in DEATHS if name.startswith("renamed"))
"""These break what ``fsync`` promised: that a file is named is enough."""


def watch(happened: Callable[[Moment], None]) -> None:
    """Let ``happened`` know each moment of this process from now on."""

    def wrap(name: str, path: Callable[..., Path]) -> None:
        call = getattr(os, name)

        def wrapped(*arguments: Any, **options: Any) -> Any:
            place = path(*arguments)
            happened(Moment(name, place, is_before=True))
            result = call(*arguments, **options)
            happened(Moment(name, place, is_before=False))
            return result

        setattr(os, name, wrapped)

    wrap("replace", lambda source, target, *_: Path(target))
    wrap("fsync", lambda descriptor: Path(os.readlink(f"/proc/self/fd/{descriptor}")))
    wrap("unlink", lambda path, *_: Path(path))
    log = Record.log

    def logged(self: Record, *arguments: Any) -> None:
        log(self, *arguments)
        happened(Moment("log", self.folder.metrics, is_before=False))

    Record.log = logged  # type: ignore[method-assign]


def moments(case: Case, path: Path) -> list[Moment]:
    """All moments of the undisturbed run, which is left in ``path``."""
    listing = path.with_suffix(".moments")

    def work() -> int:
        seen: list[Moment] = []
        watch(seen.append)
        code = case.start(path)
        listing.write_text("".join(f"{m.call}\t{m.path}\t{int(m.is_before)}\n" for m in seen))
        return code

    ending = done(work)
    assert ending.code == 0, ending.text
    entries = (line.split("\t") for line in listing.read_text().splitlines())
    return [Moment(call, Path(place), before == "1") for call, place, before in entries]


def dying(work: Callable[[], int], how: str, number: int) -> Callable[[], int]:
    """``work`` that dies at the moment ``number`` of those that suit, whose file it says."""
    suits, end = DEATHS[how]

    def doomed() -> int:
        coming = iter(range(number, -1, -1))

        def happened(moment: Moment) -> None:
            if suits(moment) and next(coming, None) == 0:
                os.write(2, f"\n{moment.path.name}".encode())
                end(moment)

        watch(happened)
        return work()

    return doomed


class Kills:
    """Trials of one case against its undisturbed run."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.folder = case, folder
        self.whole = case.undisturbed(folder / f"{case.name}_whole")
        began = time.monotonic()
        self.moments = moments(case, folder / f"{case.name}_counted")
        self.duration = time.monotonic() - began
        assert differences(self.whole, folder / f"{case.name}_counted") == []

    def num(self, how: str) -> int:
        """At how many moments of a run it can die in this way."""
        return sum(DEATHS[how][0](moment) for moment in self.moments)

    def at_moments(self, deaths: list[tuple[str, int]], *figures: Figures) -> None:
        """Die in these ways at these moments, one after the other, and then go on to the end."""
        path = self._fresh()
        torn: list[str] = []
        num_kills = 0
        for how, number in deaths:
            ending = done(dying(lambda: self.case.go_on(path), how, number))
            num_kills += ending.was_killed
            if ending.was_killed and how in DAMAGING:
                torn.append(ending.err.splitlines()[-1])
            if ending.code > 0:
                break
        self._judge(deaths[0][0], path, torn, f"{deaths} {torn}", num_kills, *figures)

    def at_random(self, num: int, chance: random.Random, *figures: Figures) -> None:
        """``num`` kills at random moments of time, and then go on to the end."""
        path = self._fresh()
        num_kills = 0
        for _ in range(num):
            child = forked(lambda: self.case.go_on(path))
            time.sleep(chance.uniform(0, self.duration))
            os.kill(child.pid, signal.SIGKILL)
            num_kills += child.end().was_killed
        self._judge("at random", path, [], "", num_kills, *figures)

    def _fresh(self) -> Path:
        path = self.folder / "run"
        shutil.rmtree(path, ignore_errors=True)
        return path

    def _judge(self, row: str, path: Path, torn: list[str], detail: str, num_kills: int, *figures: Figures) -> None:
        last = done(lambda: self.case.go_on(path))
        outcome, reason = self._outcome(path, last, torn)
        for table, name in zip(figures, (row, self.case.name), strict=False):
            table.add(name, outcome, f"{self.case.name}, {row} {detail}: {reason}")
            table.count(name, "kills", num_kills)

    def _outcome(self, path: Path, last: Ending, torn: list[str]) -> tuple[str, str]:
        """``torn``: names of files of which one may be named instead of coming out as it should."""
        if fault := last.fault():
            return FAILED, fault
        text = last.text + "".join(manifest(path).get("damage", []) if last.code == 0 else [])
        is_named = any(name in text for name in torn)
        wrong = differences(self.whole, path) + hygiene(path) if last.code == 0 else [f"exit {last.code}"]
        if wrong:
            return ("named", "") if is_named else (FAILED, f"{wrong} {last.text}")
        return "equal", ""


def campaign(case: Case, folder: Path, chance: random.Random, num: int, *figures: Figures) -> None:
    """``num`` trials of each way to die, and of kills at random; half of them die again as they resume.

    figures: one whose rows are the ways, and one whose rows are the cases.
    """
    kills = Kills(case, folder)
    for how in DEATHS:
        for _ in range(num):
            deaths = [(how, chance.randrange(kills.num(how)))]
            if chance.random() < 0.5:
                deaths.append((chance.choice(["before a call", "after a call"]), chance.randrange(60)))
            kills.at_moments(deaths, *figures)
    for _ in range(num):
        kills.at_random(3, chance, *figures)
