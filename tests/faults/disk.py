"""Disks that fill up, folders that go away, and streams and terminals that close."""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import helpers
from faults.child import Case, Ending, done, forked, hygiene, on_terminal, sdrun
from faults.damage import OVERRIDES, kind
from faults.figures import FAILED, Figures

MOST_LINES = 6
PAGE = 4096

Command = Callable[..., int]


class Disks:
    """Runs of the command line in ``folder``, each by ``command``: in this process, or by a fresh interpreter."""

    def __init__(self, folder: Path, whole: Path | None = None) -> None:
        self.folder = folder
        self.whole = whole or Case.of(*OVERRIDES).undisturbed(folder / "whole")

    def start(self, command: Command, place: str) -> int:
        os.chdir(self.folder)
        return command(*helpers.SMALL, *OVERRIDES, f"hydra.run.dir={place}")

    # Full disks ------------------------------------------------------------------------------------------------------

    def with_small_files(self, size: int, command: Command, figures: Figures) -> None:
        """No file can grow past ``size`` bytes."""

        def work() -> int:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            return self.start(command, "run")

        shutil.rmtree(self.folder / "run", ignore_errors=True)
        self._judge(done(work), "run", lambda: None, f"files of {size} bytes", figures)

    def on_tmpfs(self, options: str, command: Command, figures: Figures) -> None:
        """A disk of its own, such as ``size=40k`` or ``nr_inodes=9``; room is made before the run goes on."""
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)
        try:
            grow = ["mount", "-o", "remount,size=256m,nr_inodes=100000", disk]
            ending = done(lambda: self.start(command, "disk/run"))
            self._judge(ending, "disk/run", lambda: subprocess.run(grow, check=True), options, figures)
        finally:
            subprocess.run(["umount", disk], check=True)

    def used(self) -> tuple[int, int]:
        """Pages and files of a finished run."""
        files = [file for file in self.whole.rglob("*") if file.is_file()]
        return sum(-(-file.stat().st_size // PAGE) for file in files), len(list(self.whole.rglob("*")))

    def _judge(
        self, ending: Ending, place: str, make_room: Callable[[], object], detail: str, figures: Figures
    ) -> None:
        path = self.folder / place
        outcome, reason = self._outcome(ending, path, place, make_room)
        figures.add(self._where(ending, place), outcome, f"{detail}: {reason}")

    def _outcome(self, ending: Ending, path: Path, place: str, make_room: Callable[[], object]) -> tuple[str, str]:
        if ending.code == 0:
            wrong = helpers.differences(self.whole, path) + hygiene(path)
            return ("had room", "") if not wrong else (FAILED, str(wrong))
        if ending.fault() or ending.code != 1 or len(ending.err.splitlines()) > MOST_LINES:
            return FAILED, f"{ending.fault()} exit {ending.code}: {ending.err}"
        holds_run = (path / "manifest.json").exists()
        if holds_run and helpers.manifest(path)["status"] == "completed":
            return FAILED, "completed, and exit 1"
        make_room()
        again = done(lambda: sdrun("resume", path) if holds_run else self.start(sdrun, place))
        if again.code:
            return FAILED, f"does not go on: {again.text}"
        wrong = helpers.differences(self.whole, path) + hygiene(path)
        return ("resumed" if holds_run else "started anew", "") if not wrong else (FAILED, f"then {wrong}")

    @staticmethod
    def _where(ending: Ending, place: str) -> str:
        """The kind of the file that the error names."""
        if ending.code == 0:
            return "none"
        match = re.search(rf"{place}/(\S+?)(\.sdrun-part)?'?: ", ending.err)
        return kind(match[1]) if match else "no file named"

    # Folders that go away --------------------------------------------------------------------------------------------

    def with_vanishing(self, how: str, command: Command, figures: Figures) -> None:
        """The folder is ``moved`` or ``deleted`` in mid-run."""
        path, other = self.folder / "run", self.folder / "elsewhere"
        for old in (path, other):
            shutil.rmtree(old, ignore_errors=True)
        child = forked(lambda: self.start(command, "run"))
        self._wait(path)
        path.rename(other)
        if how == "deleted":
            shutil.rmtree(other)
        ending = child.end()
        figures.add(f"folder {how} in mid-run", *self._vanished(ending, how, path, other))

    def _vanished(self, ending: Ending, how: str, path: Path, other: Path) -> tuple[str, str]:
        is_told = "is gone, moved or deleted while the run was under way" in ending.err
        if ending.fault() or ending.code != 1 or not is_told or len(ending.err.splitlines()) > MOST_LINES:
            return FAILED, f"exit {ending.code}: {ending.text}"
        if path.exists():
            return FAILED, f"made again: {list(path.rglob('*'))}"
        if how == "deleted":
            return "told", ""
        again = done(lambda: sdrun("resume", other))
        wrong = [again.text] if again.code else helpers.differences(self.whole, other) + hygiene(other)
        return ("told, and resumed", "") if not wrong else (FAILED, str(wrong))

    @staticmethod
    def _wait(path: Path, terminal: int | None = None) -> None:
        """Until the run trains; reads what it says to a terminal."""
        deadline = time.monotonic() + 60
        while not list(path.glob("stages/*/step_*")) and time.monotonic() < deadline:
            time.sleep(0.002)
            with suppress(OSError):
                os.read(terminal, PAGE) if terminal else None

    # Streams and terminals -------------------------------------------------------------------------------------------

    def with_stream(self, row: str, command: Command, figures: Figures) -> None:
        """Streams that cannot be written to are no reason to end a run."""

        def work() -> int:
            full, (reader, gone) = os.open("/dev/full", os.O_WRONLY), os.pipe()
            os.close(reader)
            for number, end in STREAMS[row].items():
                os.dup2({"full": full, "gone": gone}[end], number)
            return self.start(command, "run")

        shutil.rmtree(self.folder / "run", ignore_errors=True)
        ending = done(work)
        wrong = [f"exit {ending.code} {ending.text}"] if ending.code else []
        wrong = wrong or helpers.differences(self.whole, self.folder / "run") + hygiene(self.folder / "run")
        figures.add(row, FAILED if wrong else "completed", str(wrong))

    def with_closed_terminal(self, is_ignored: bool, command: Command, figures: Figures) -> None:
        """The terminal closes in mid-run; ``is_ignored``: as under ``nohup``."""

        def work() -> int:
            signal.signal(signal.SIGHUP, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
            return self.start(command, "run")

        path = self.folder / "run"
        shutil.rmtree(path, ignore_errors=True)
        child, main = on_terminal(work)
        os.set_blocking(main, False)
        self._wait(path, main)
        os.close(main)
        ending = child.end()
        status = helpers.manifest(path)["status"] if (path / "manifest.json").exists() else "not there"
        wrong = [] if (ending.code, status) == EXPECTED[is_ignored] else [f"exit {ending.code}, {status} {ending.text}"]
        again = done(lambda: sdrun("resume", path))
        wrong += [again.text] if again.code else helpers.differences(self.whole, path) + hygiene(path)
        row = "terminal closed, under nohup" if is_ignored else "terminal closed"
        figures.add(row, FAILED if wrong else "completed" if is_ignored else "interrupted, and resumed", str(wrong))


STREAMS = {
    "stdout on a full disk": {1: "full"},
    "stderr on a full disk": {2: "full"},
    "both on a full disk": {1: "full", 2: "full"},
    "stdout without a reader": {1: "gone"},
    "both without a reader": {1: "gone", 2: "gone"},
}

EXPECTED = {False: (129, "interrupted"), True: (0, "completed")}


def campaign(disks: Disks, chance: random.Random, num: int, command: Command = sdrun) -> Iterator[Figures]:
    """``num`` sizes of each kind of limit."""
    title = f", by {command.__name__}"
    pages, inodes = disks.used()
    largest = max(file.stat().st_size for file in disks.whole.rglob("*") if file.is_file())
    small = Figures(f"Files that cannot grow{title}")
    for _ in range(num):
        disks.with_small_files(int(largest * 1.1 * chance.random() ** 2), command, small)
    yield small
    if os.geteuid() == 0:
        tmpfs = Figures(f"A tmpfs that fills up{title}")
        for _ in range(num):
            disks.on_tmpfs(f"size={chance.randint(1, pages + 10) * PAGE}", command, tmpfs)
            disks.on_tmpfs(f"nr_inodes={chance.randint(1, inodes + 3)}", command, tmpfs)
        yield tmpfs
    yield others(disks, command, Figures(f"Folders, streams, terminals{title}"))


def others(disks: Disks, command: Command, figures: Figures) -> Figures:
    for how in ("moved", "deleted"):
        disks.with_vanishing(how, command, figures)
    for row in STREAMS:
        disks.with_stream(row, command, figures)
    for is_ignored in (False, True):
        disks.with_closed_terminal(is_ignored, command, figures)
    return figures
