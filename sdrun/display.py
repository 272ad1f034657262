"""What a person sees of a run: a progress bar in a terminal, plain lines elsewhere, and run.log in the folder."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from sdrun import progress
from sdrun.judges.metric import Metric, from_json, shown
from sdrun.settings.words import clock, printable
from sdrun.storage.stage import StageResult

log = logging.getLogger(__name__)
_logger = logging.getLogger("sdrun")


class Display:
    """Progress of one stage after the other, and the warnings of the run."""

    SECONDS_BETWEEN_LINES = 5.0

    def __init__(self, log_file: Path | None) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.live = self.console.is_terminal and log_file is not None
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._name, self._num_steps, self._steps_per_epoch = "", 0, 1
        self._headline = ""
        self._latest: dict[str, float] = {}
        self._start, self._began, self._last_line = 0, 0.0, 0.0
        self._handlers = [_log_to(log_file), _warn_on(self.console)] if log_file else []
        if not self._handlers:
            _logger.addHandler(logging.NullHandler())  # or Python prints the warnings of every rank

    def say(self, text: str) -> None:
        """A line for the person and for run.log."""
        text = "\n".join(map(printable, text.split("\n")))
        log.info(text)
        if self._handlers:
            self.console.print(text, markup=False)

    def tell(self, title: str, lines: Sequence[str]) -> None:
        """Lines of one matter, whose title stands before the first."""
        for number, line in enumerate(lines):
            self.say(f"{'' if number else title:<12} {line}")

    def begin(self, name: str, num_steps: int, steps_per_epoch: int, step: int, headline: Metric) -> None:
        self._name, self._num_steps, self._steps_per_epoch = name, num_steps, steps_per_epoch
        self._headline = f"val/{headline.name}"
        self._latest = {}
        self._start = step
        self._began = self._last_line = time.monotonic()
        if step:
            self.say(f"{name}: going on at step {step} of {num_steps}")
        if self.live:
            self._progress = Progress(
                TextColumn("{task.description:<14}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[text]}"),
                TimeRemainingColumn(compact=True),
                console=self.console,
            )
            self._progress.start()
            self._task = self._progress.add_task(name, total=num_steps, completed=step, text="")

    def update(self, step: int, values: dict[str, float]) -> None:
        self._latest |= values
        text = self._text(step)
        if self._progress:
            self._progress.update(self._task, completed=step, text=text)
        if self._headline in values or self._headline not in self._latest:
            log.info("%s  %s", self._name, text)
        now = time.monotonic()
        seconds = (now - self._began) * (self._num_steps - step) / max(step - self._start, 1)
        progress.tell(progress.Progress(self._name, step, self._num_steps, seconds))
        if not self.live and now - self._last_line >= self.SECONDS_BETWEEN_LINES and step < self._num_steps:
            self._last_line = now
            self.console.print(f"{self._name}  {text}  {clock(seconds)} left", markup=False)

    def end(self, result: StageResult) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None
        metrics = [metric for metric in _shown([result]) if f"test/{metric.name}" in result.metrics]
        told = ", ".join(f"{metric.title} {result.metrics[f'test/{metric.name}']:.4f}" for metric in metrics[:2])
        self.say(f"{result.name}: test {told}" if told else f"{result.name}: done")

    def close(self) -> None:
        if self._progress:
            self._progress.stop()
        for handler in self._handlers:
            _logger.removeHandler(handler)
            with suppress(OSError):  # a full disk
                handler.close()
        _logger.propagate = True

    def _text(self, step: int) -> str:
        epoch, epochs = (-(-steps // self._steps_per_epoch) for steps in (step, self._num_steps))
        parts = [f"epoch {epoch}/{epochs}"]
        if "train/loss" in self._latest:
            parts.append(f"loss {self._latest['train/loss']:.3f}")
        if self._headline in self._latest:
            parts.append(f"val {self._latest[self._headline]:.4f}")
        if "train/samples_per_second" in self._latest:
            parts.append(f"{self._latest['train/samples_per_second']:,.0f} samples/s")
        return "  ".join(parts)


def _shown(results: list[StageResult]) -> list[Metric]:
    """What the judges of these stages show, the most important first."""
    declared = {name: metric for result in results for name, metric in from_json(result.declared).items()}
    return shown(declared)


def _log_to(path: Path) -> logging.Handler:
    """Send what sdrun logs to a file, and to no handler but ours."""
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _logger.addHandler(handler)
    _logger.setLevel(logging.INFO)
    _logger.propagate = False
    return handler


def _warn_on(console: Console) -> logging.Handler:
    """Show warnings to the person too; errors are told by the command line."""
    handler = RichHandler(console=console, show_time=False, show_path=False)
    handler.addFilter(lambda record: record.levelno == logging.WARNING)
    _logger.addHandler(handler)
    return handler
