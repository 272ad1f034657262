"""What a person sees of a sweep: a table of what runs, lines of what ended, and at the end what failed, and why."""

import time
from collections import Counter, deque
from types import TracebackType

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sdrun.judges.metric import from_json, shown
from sdrun.progress import Progress, Saved
from sdrun.settings.words import clock, counted, printable
from sdrun.storage.documents import Unreadable, read_json
from sdrun.storage.sweeps import RESULTS, SweepFolder
from sdrun.sweeps.remaining import Remaining, kind
from sdrun.telling import tell

LINES = 6
"""Of the log of a job that failed."""

MOST_FAILURES = 10
"""Whose logs are shown."""

ENDED = ("completed", "failed")
"""How jobs stand that this process need not make."""

FEWEST, GAP = 8, 2
"""Columns of a name in the table, at least; and between two things there."""

MOST_STARTS = 20
"""Jobs of a sweep whose starts are told, too, where no terminal has a table."""


class Screen:
    """Lives while the jobs ``names`` of a sweep run, so many ``at_once``. One that ``is_quiet`` has the table alone.

    Jobs are counted among all of the sweep, those that ended before included.
    """

    def __init__(self, folder: SweepFolder, names: list[str], at_once: int, is_quiet: bool) -> None:
        self.folder, self.num_left, self.is_quiet = folder, len(names), is_quiet
        self.console, self.at_once = Console(highlight=False, soft_wrap=True), at_once
        ended = {name for name, job in folder.jobs.items() if job.status in ENDED}
        self.over = ended - set(names)
        self.remaining = Remaining({name: kind(job.overrides) for name, job in folder.jobs.items()}, at_once)
        self.began = dict[str, float]()
        self.progress = dict[str, tuple[Progress, float]]()
        self.codes = dict[str, int]()
        self.saved = list[float]()
        self.live = Live(console=self.console, transient=True, refresh_per_second=2, get_renderable=self._table)

    def __enter__(self) -> "Screen":
        num = len(self.folder.jobs)
        jobs = counted(num, "job") if self.num_left == num else f"{self.num_left:,} of {counted(num, 'job')} are left"
        self.say(f"{self.folder.path}: {jobs}, {self.at_once} at once")
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
        if not self.console.is_terminal and self.num_left <= MOST_STARTS:
            self.say(f"{name}: started, {self._at()}")

    def told(self, name: str, words: Progress | Saved) -> None:
        if isinstance(words, Saved):
            self.saved.append(words.seconds)
        else:
            self.progress[name] = words, time.monotonic()

    def left(self, name: str) -> None:
        """Another process is at it."""
        self.began.pop(name)

    def ended(self, name: str, code: int) -> None:
        now = time.monotonic()
        self.codes[name] = code
        self.over.add(name)
        self.progress.pop(name, None)
        began = self.began.pop(name, None)
        took = "by another process" if began is None else clock(now - began)
        if began is not None and code == 0:
            self.remaining.ended(name, now - began)
        how = self._result(name) if code == 0 else self._how(name)
        at = f"{len(self.over):,} of {len(self.folder.jobs):,}"
        if self.console.is_terminal and not self.is_quiet:
            tell(self.console, at, printable("  ".join([name, how, took])))
        else:
            self.say("  ".join(filter(None, [at, name, how, took, self._left(now)])))

    def say(self, text: str) -> None:
        """A line."""
        if not self.is_quiet:
            self.console.print(printable(text), markup=False)

    def _result(self, name: str) -> str:
        try:
            summary = read_json(self.folder.path / name / "summary.json")
            headline = shown(from_json(summary["declared"]))[0]
            return f"{headline.title} {headline.formatted(summary['metrics'][f'test/{headline.name}'])}"
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

    def _at(self) -> str:
        """The job that was started last, among all."""
        started, num = len(self.over) + len(self.began), len(self.folder.jobs)
        return f"job {started:,} of {num:,}" if started else counted(num, "job")

    def _left(self, now: float) -> str:
        """Of the sweep, where anything is left and it can be told."""
        running = {name: (now - began, self._left_of(name, now)) for name, began in list(self.began.items())}
        queued = [name for name in list(self.folder.jobs) if name not in self.over and name not in running]
        return self.remaining.told(running, queued)

    def _left_of(self, name: str, now: float) -> float | None:
        """What a job has said is left of it."""
        progress, then = self.progress.get(name, (None, now))
        return max(0.0, progress.seconds - (now - then)) if progress and progress.seconds is not None else None

    def _table(self) -> Group:
        """In the thread that draws, while jobs come and go."""
        now = time.monotonic()
        rows = [self._row(name, began, now) for name, began in list(self.began.items())]
        widths = [max(map(cell_len, cells)) for cells in list(zip(*rows, strict=True))[1:]]
        room = max(self.console.width - sum(widths) - GAP * len(widths), FEWEST)
        table = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
        for name, *cells in rows:
            shown = Text(printable(name))
            shown.truncate(room, overflow="ellipsis")
            table.add_row(shown, *cells)
        num, running = len(self.folder.jobs), len(self.began)
        counts = [f"{running} running", f"{num - len(self.over) - running} queued"]
        ended = Counter(self.folder.jobs[name].status for name in list(self.over))
        counts += [f"{ended.pop('completed', 0)} done", *(f"{n} {status}" for status, n in ended.items())]
        line = "; ".join(filter(None, [f"{self._at()}: {', '.join(counts)}", self._left(now)]))
        return Group(Text(line, style="dim"), table)

    def _row(self, name: str, began: float, now: float) -> tuple[str, str, str, str]:
        """What a job is at, how much of its steps is done, and how long it takes."""
        progress, _ = self.progress.get(name, (None, now))
        if not progress:
            return name, "starting", "", clock(now - began)
        left = round(self._left_of(name, now) or 0)
        what = progress.doing.partition(" ")[0] or progress.stage
        return name, what, f"{progress.share:4.0%}", f"{clock(left)} left" if left else ""
