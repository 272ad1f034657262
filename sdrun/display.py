"""What a person sees of a run: two lines at the bottom of a terminal, plain lines elsewhere, and run.log."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.logging import RichHandler

from sdrun import progress, telling
from sdrun.bar import Bar, Seen
from sdrun.judges.metric import Metric, from_json, shown
from sdrun.outlook import Outlook
from sdrun.settings.words import clock, printable
from sdrun.storage.stage import StageResult

log = logging.getLogger(__name__)
_logger = logging.getLogger("sdrun")

TOLD = ("test", "present")
"""Parts of which a stage's metrics are told, the first that it was judged on."""

SECONDS_TO_TELL = 3.0
"""Of a training after which the time that is left can be told, where it is measured more than once."""

SECONDS_TO_GUESS = 10.0
"""The same, where it is measured from the first step on."""


class Display:
    """Where a run is among its ``stages``, and the warnings of the run. By the name of a stage, what people call it."""

    SECONDS_BETWEEN_LINES = 5.0

    def __init__(self, log_file: Path | None, stages: Mapping[str, str] = MappingProxyType({})) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.live = self.console.is_terminal and log_file is not None
        self._called = stages
        self.outlook = Outlook(stages.values())
        self._headline, self._steps_per_epoch = Metric(""), 1
        self._latest: dict[str, float] = {}
        self._saved = 0
        self._doing: tuple[str, str] | None = None
        self._is_under_way = self._is_foretold = False
        self._began = self._last_line = 0.0
        self._bar = Bar(self.console, self._seen)
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
        """Lines of one matter, whose title stands before the first; in a terminal they wrap beside it."""
        for number, line in enumerate(map(printable, lines)):
            head = "" if number else title
            log.info(f"{head:<{telling.WIDTH}} {line}")
            if self._handlers:
                telling.tell(self.console, head, line)

    def begin(self, name: str, num_steps: int, steps_per_epoch: int, step: int, headline: Metric) -> None:
        """A training starts, or goes on at a step."""
        name = self._name(name)
        self._began = self._last_line = time.monotonic()
        self.outlook.begin(name, step, num_steps, self._began)
        self._headline, self._steps_per_epoch, self._latest = headline, steps_per_epoch, {}
        self._saved, self._is_under_way = step, True
        if step:
            self.say(f"{name}: going on at step {step} of {num_steps}")
        if self.live:
            self._bar.start()

    def update(self, step: int, values: dict[str, float]) -> None:
        """Numbers of a step, or of a look at the validation split after it."""
        now, key = time.monotonic(), f"val/{self._headline.name}"
        self._latest |= values
        self.outlook.reached(step, now)
        line = "  ".join([self.outlook.label, *self._parts()])
        if key in values or key not in self._latest:
            log.info(line)
        self._tell_others(now)
        is_last = step == self.outlook.num_steps
        if not (self._is_foretold or is_last):
            self._foretell(now)
        if not (self.live or is_last) and now - self._last_line >= self.SECONDS_BETWEEN_LINES:
            self._last_line = now
            self.console.print("  ".join(filter(None, [line, self._left(now)])), markup=False)

    def saved(self, step: int) -> None:
        """A checkpoint is written."""
        self._saved = step

    def trained(self) -> None:
        """The last step is done, and what was trained is judged next."""
        self.outlook.trained(time.monotonic())

    @contextmanager
    def doing(self, stage: str, what: str) -> Iterator[None]:
        """Name what a stage does where it does not train. What an error has left stays, to be told of."""
        stage = self._name(stage)
        self._began = time.monotonic()
        self._doing = stage, what
        self._tell_others(self._began)
        if self.live:
            log.info("%s: %s", *self._doing)
            self._bar.start()
        else:
            self.say(f"{stage}: {what}")
        yield
        self._doing = None

    @property
    def where(self) -> str:
        """What a run that ends early was at, and what of it is saved."""
        outlook = self.outlook
        if self._doing:
            stage, what = self._doing
            return f" in {stage}, {what}" + ("; its training is saved" if self._is_under_way else "")
        if not self._is_under_way:
            return ""
        saved = (
            f"saved at step {self._saved:,} of {outlook.num_steps:,}" if self._saved else "of which nothing is saved"
        )
        return f" in {outlook.stage}, {saved}"

    def end(self, result: StageResult) -> None:
        """A stage is finished."""
        if self._is_under_way:
            self.outlook.ended(time.monotonic())
            self._is_under_way = False
        part = next((part for part in TOLD if any(key.startswith(f"{part}/") for key in result.metrics)), "")
        metrics = [metric for metric in _shown([result]) if f"{part}/{metric.name}" in result.metrics][:2]
        told = ", ".join(f"{m.title} {m.formatted(result.metrics[f'{part}/{m.name}'])}" for m in metrics)
        name = self._name(result.name)
        self.say(f"{name}: {part} {told}" if told else f"{name}: done")

    def stop(self) -> None:
        """The run is at its end, and what is printed from now on stays."""
        self._bar.stop()

    def close(self) -> None:
        self.stop()
        for handler in self._handlers:
            _logger.removeHandler(handler)
            with suppress(OSError):  # a full disk
                handler.close()
        _logger.propagate = True

    def _name(self, stage: str) -> str:
        return self._called.get(stage, stage)

    def _foretell(self, now: float) -> None:
        """Say how long training takes, once, as soon as that can be told."""
        took, left = now - self._began, self.outlook.seconds(now)
        is_known = took >= (SECONDS_TO_TELL if self.outlook.num_reached > 1 else SECONDS_TO_GUESS)
        if is_known and left is not None:
            self._is_foretold = True
            self.tell("Time", [f"about {clock(left)} of training to come"])

    def _tell_others(self, now: float) -> None:
        outlook = self.outlook
        stage, doing = self._doing or (outlook.stage, "")
        where = outlook.number, len(outlook.stages), outlook.step, outlook.num_steps
        progress.tell(progress.Progress(stage, *where, outlook.seconds(now), doing))

    def _left(self, now: float) -> str:
        """Nothing where all that was foreseen is over, such as while the first stage is judged and no other follows."""
        if not (seconds := round(self.outlook.seconds(now) or 0)):
            return ""
        return f"{clock(seconds)} left" + " in all" * (len(self.outlook.stages) > 1)

    def _seen(self) -> Seen | None:
        """In the thread that draws, while the run goes on."""
        now, outlook, doing = time.monotonic(), self.outlook, self._doing
        parts = [f"{doing[1]}, {clock(now - self._began)}"] if doing else self._parts()
        if self._is_under_way:
            return Seen(outlook.label, outlook.step / max(outlook.num_steps, 1), self._left(now), parts)
        return Seen(doing[0], None, "", parts) if doing else None

    def _parts(self) -> list[str]:
        steps, latest = (self.outlook.step, self.outlook.num_steps), self._latest
        epoch, epochs = (-(-step // self._steps_per_epoch) for step in steps)
        parts = [f"epoch {epoch}/{epochs}"]
        if "train/loss" in latest:
            parts.append(f"loss {latest['train/loss']:.3f}")
        if (value := latest.get(f"val/{self._headline.name}")) is not None:
            parts.append(f"val {self._headline.title} {self._headline.formatted(value)}")
        if "train/samples_per_second" in latest:
            parts.append(f"{latest['train/samples_per_second']:,.0f} samples/s")
        return parts


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
