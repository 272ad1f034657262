"""What a person sees of a sweep: a table of what runs, lines of what ended, and at the end what failed, and why."""

import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sdrun.settings.words import printable
from sdrun.storage.documents import Unreadable, read_json

LINES = 6
"""Of the log of a job that failed."""


class Screen:
    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder, self.num = folder, len(names)
        self.console = Console(highlight=False, soft_wrap=True)
        self.began = dict[str, float]()
        self.words = dict[str, Any]()
        self.ended_codes = dict[str, int]()
        self.live = Live(console=self.console, transient=True, refresh_per_second=2, get_renderable=self._table)

    def __enter__(self) -> "Screen":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.live.stop()
        for name, code in self.ended_codes.items():
            if code != 0:
                self._tell_failure(name, code)

    def started(self, name: str) -> None:
        self.began[name] = time.monotonic()
        if not self.console.is_terminal:
            self._say(f"{name}: started")

    def told(self, name: str, words: Any) -> None:
        self.words[name] = words

    def ended(self, name: str, code: int) -> None:
        self.ended_codes[name] = code
        seconds = time.monotonic() - self.began.pop(name)
        self.words.pop(name, None)
        how = self._result(name) if code == 0 else f"failed ({_reason(code)})"
        self._say(f"{len(self.ended_codes)}/{self.num}  {name}: {how}  {seconds:.0f} s")

    def _say(self, text: str) -> None:
        self.console.print(printable(text), markup=False)

    def _result(self, name: str) -> str:
        try:
            metrics = read_json(self.folder / name / "summary.json")["metrics"]
        except (Unreadable, KeyError):
            return "done"
        return f"test accuracy {metrics['test/accuracy']:.4f}" if "test/accuracy" in metrics else "done"

    def _tell_failure(self, name: str, code: int) -> None:
        log = self.folder / "logs" / f"{name.replace('/', '-')}.log"
        self._say(f"\n{name} failed ({_reason(code)}); {log} ends in:")
        with log.open(errors="replace") as file:
            for line in deque(file, LINES):
                self._say(f"  {line.rstrip()}")

    def _table(self) -> Group:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, began in self.began.items():
            table.add_row(name, str(self.words.get(name, "starting")), f"{time.monotonic() - began:.0f} s")
        num_ended, num_running = len(self.ended_codes), len(self.began)
        counts = f"{num_running} running, {self.num - num_ended - num_running} queued, {num_ended} done"
        return Group(table, Text(counts, style="dim"))


def _reason(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
