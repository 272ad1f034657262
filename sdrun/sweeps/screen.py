"""What a person sees of a sweep: a table of what runs, lines of what ended, and at the end what failed, and why."""

import time
from collections import Counter, deque
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sdrun.judges.metric import from_json, shown
from sdrun.progress import Progress, Saved
from sdrun.settings.words import clock, counted, printable
from sdrun.storage.documents import Unreadable, read_json
from sdrun.storage.sweeps import RESULTS, SweepFolder

LINES = 6
"""Of the log of a job that failed."""

MOST_FAILURES = 10
"""Whose logs are shown."""


class Screen:
    """Lives while the jobs ``names`` of a sweep run, so many ``at_once``. One that ``is_quiet`` has the table alone."""

    def __init__(self, folder: SweepFolder, names: list[str], at_once: int, is_quiet: bool) -> None:
        self.folder, self.num, self.at_once = folder, len(names), at_once
        self.console, self.is_quiet = Console(highlight=False, soft_wrap=True), is_quiet
        self.began = dict[str, float]()
        self.progress = dict[str, Progress]()
        self.codes = dict[str, int]()
        self.saved = list[float]()
        self.live = Live(console=self.console, transient=True, refresh_per_second=2, get_renderable=self._table)

    def __enter__(self) -> "Screen":
        self.say(f"{self.folder.path}: {counted(self.num, 'job')}, {self.at_once} at once")
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.live.stop()
        if self.saved:
            self.say(f"{counted(len(self.saved), 'stage')} shared instead of trained: {clock(sum(self.saved))} saved")
        failed = [name for name in self.codes if self.folder.jobs[name].status == "failed"]
        for name in failed[:MOST_FAILURES]:
            self._tell_failure(name)
        if len(failed) > MOST_FAILURES:
            self.say(f"{len(failed) - MOST_FAILURES} more failed; see {self.folder.path / RESULTS}")

    def started(self, name: str) -> None:
        self.began[name] = time.monotonic()
        if not self.console.is_terminal:
            self.say(f"{name}: started")

    def told(self, name: str, words: Progress | Saved) -> None:
        if isinstance(words, Saved):
            self.saved.append(words.seconds)
        else:
            self.progress[name] = words

    def left(self, name: str) -> None:
        """Another process is at it."""
        self.began.pop(name)

    def ended(self, name: str, code: int) -> None:
        self.codes[name] = code
        self.progress.pop(name, None)
        began = self.began.pop(name, None)
        took = "by another process" if began is None else clock(time.monotonic() - began)
        how = self._result(name) if code == 0 else self._how(name)
        self.say(f"{len(self.codes):>{len(str(self.num))}}/{self.num}  {name}  {how}  {took}")

    def say(self, text: str) -> None:
        """A line."""
        if not self.is_quiet:
            self.console.print(printable(text), markup=False)

    def _result(self, name: str) -> str:
        try:
            summary = read_json(self.folder.path / name / "summary.json")
            headline = shown(from_json(summary["declared"]))[0]
            return f"{headline.title} {summary['metrics'][f'test/{headline.name}']:.4f}"
        except (Unreadable, LookupError, ValueError, TypeError):
            return "done"

    def _how(self, name: str) -> str:
        job = self.folder.jobs[name]
        return f"{job.status}: {job.reason}" if job.reason else job.status

    def _tell_failure(self, name: str) -> None:
        log = self.folder.log(name)
        with log.open(encoding="utf-8", errors="replace") as file:
            lines = deque(file, LINES)
        self.say("")
        self.say(f"{name} failed; {log} {'ends in:' if lines else 'is empty'}")
        for line in lines:
            self.say(f"  {line.rstrip()}")

    def _table(self) -> Group:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, began in self.began.items():
            progress = self.progress.get(name)
            if progress:
                share = f"{progress.step / max(progress.num_steps, 1):4.0%}"
                table.add_row(name, progress.stage, share, f"{clock(progress.seconds)} left")
            else:
                table.add_row(name, "starting", "", clock(time.monotonic() - began))
        counts = [f"{len(self.began)} running", f"{self.num - len(self.codes) - len(self.began)} queued"]
        ended = Counter(self.folder.jobs[name].status for name in self.codes)
        counts += [f"{ended.pop('completed', 0)} done", *(f"{num} {status}" for status, num in ended.items())]
        return Group(table, Text(", ".join(counts), style="dim"))
