"""The folder in which TensorBoard finds one run. Imports no torch."""

from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sdrun.comparison import events, hparams
from sdrun.comparison.events import Record, Spans
from sdrun.comparison.logged import Point, everything
from sdrun.comparison.runs import Run
from sdrun.storage.documents import Unreadable

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

Stamp = frozenset[tuple[Path, int, int]]
"""Files with their size and when they were written."""


def is_shown(run: Run) -> bool:
    """Whether there is anything that TensorBoard could show."""
    return (run.path / "metrics.jsonl").is_file() or (run.path / "tensorboard").is_dir()


class View:
    """A run as TensorBoard is shown it, in ``place``; it follows a run that is under way.

    ``curves`` are the names of its curves. Pictures are drawn by themselves, for they take longest.
    """

    def __init__(self, place: Path) -> None:
        self.place, self.curves = place, set[str]()
        self._spans: Spans = {}
        self._curves, self._tables = EventFile("curves"), EventFile("tables")
        self._pictures, self._hparams = EventFile("pictures"), EventFile("hparams")
        self._read: Stamp | None = None
        self._drawn: Stamp | None = None
        self._columns: Event | None = None

    def update(self, run: Run) -> None:
        """Show what is new of curves and tables."""
        stamp = _stamp([run.path / name for name in ("metrics.jsonl", "summary.json", "manifest.json")])
        if stamp == self._read:
            return
        self._read, self._columns = stamp, None
        points: list[Point] = []
        with suppress(Unreadable):
            points = list(everything(run))
        record = Record.of(points)
        self.curves, self._spans = record.names, record.spans
        self.place.mkdir(exist_ok=True)
        self._curves.keep(self.place, events.curves(record))
        self._tables.keep(self.place, events.tables(run, record))

    def tell(self, run: Run, columns: "Event") -> None:
        """Tell HParams of a finished run, and of all columns."""
        if columns is not self._columns:
            self._columns = columns
            self._hparams.keep(self.place, [*hparams.session(run), columns])

    def draw(self, run: Run) -> None:
        """Show what is new of pictures."""
        stamp = _stamp((run.path / "tensorboard").rglob("events.*"))
        if stamp != self._drawn:
            self._drawn = stamp
            self._pictures.keep(self.place, events.pictures(run, self._spans))

    def rename(self, place: Path) -> None:
        self.place = self.place.rename(place)


class EventFile:
    """A file that TensorBoard reads on as it grows; where events are gone, another takes its place."""

    def __init__(self, name: str) -> None:
        self.name, self.number = name, 0
        self._kept: set[bytes] = set()

    def keep(self, place: Path, wanted: Iterable["Event"]) -> None:
        """Have these events in the file, and no others."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        records = [event.SerializeToString() for event in (Event(file_version="brain.Event:2"), *wanted)]
        digests = [sha256(record).digest() for record in records]
        if not self._kept <= set(digests):
            self._path(place).unlink()
            self._kept, self.number = set(), self.number + 1
        with self._path(place).open("ab") as file:
            writer = RecordWriter(file)
            for digest, record in zip(digests, records, strict=True):
                if digest not in self._kept:
                    writer.write(record)
        self._kept = set(digests)

    def _path(self, place: Path) -> Path:
        return place / f"events.out.tfevents.{self.number}.{self.name}"


def _stamp(files: Iterable[Path]) -> Stamp:
    stamps = set()
    for file in files:
        with suppress(OSError):
            status = file.stat()
            stamps.add((file, status.st_size, status.st_mtime_ns))
    return frozenset(stamps)
