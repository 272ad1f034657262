"""The record of a run: ``metrics.jsonl`` is the source, TensorBoard a view of it."""

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sdrun.storage.files import digest, finite, write_bytes
from sdrun.storage.folder import RunFolder
from sdrun.storage.manifest import begins_with

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch.utils.tensorboard import SummaryWriter

log = logging.getLogger(__name__)

POINT = {"stage", "step", "epoch", "name", "value", "time"}


class Record:
    """Numbers of one stage after the other; each stage is a run of its own in TensorBoard, so that they overlay.

    A checkpoint keeps how many points its stage had; a resumed stage starts by dropping those that came later. What is
    logged before a checkpoint is on the disk with it.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.stage = ""
        self.steps_per_epoch = 1
        self.num_points = 0
        self._writer: SummaryWriter | None = None
        self._file = folder.metrics.open("ab")
        self._require_recorded()
        self._keep("", None)  # no torn line stays, also where nothing is logged any more

    def begin(self, stage: str, steps_per_epoch: int, num_points: int | None) -> None:
        """Start or go on with a stage: drop its points after the first ``num_points``, and show the others again.

        None drops no point.
        """
        self.folder.require_there()
        self.stage, self.steps_per_epoch = stage, steps_per_epoch
        points = self._keep(stage, num_points)
        self.num_points = len(points)
        if num_points is not None and len(points) < num_points:
            self.folder.note_damage(f"metrics.jsonl lost {num_points - len(points)} of the first points of {stage}")
        shutil.rmtree(self.folder.tensorboard / stage, ignore_errors=True)
        self._writer = _writer(self.folder, stage)
        for point in points:
            self._show(point)

    def log(self, step: int, values: dict[str, float]) -> None:
        """One line a value. NaN and infinities become null."""
        now = time.time()
        epoch = round(step / self.steps_per_epoch, 4)
        for name, value in values.items():
            point = {"stage": self.stage, "step": step, "epoch": epoch, "name": name, "value": finite(value)}
            point["time"] = now
            self._file.write(json.dumps(point, allow_nan=False).encode() + b"\n")
            self._show(point)
        self.num_points += len(values)
        self._file.flush()

    def picture(self, name: str, figure: "Figure", step: int) -> None:
        """Show a figure in TensorBoard."""
        if self._writer:
            self._writer.add_figure(name, figure, step)

    def sync(self) -> int:
        """Points of the stage so far, all of them on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self.num_points

    def lines(self, stage: str) -> bytes:
        """What the file says of a stage."""
        return b"".join(line for line, point in _points(self.folder.metrics.read_bytes()) if point["stage"] == stage)

    def take(self, stage: str, lines: bytes) -> None:
        """Have these lines of a stage, and no others, which another run recorded; its view is in the folder already."""
        self._keep(stage, 0)
        self._file.write(lines)
        self.folder.adopt(f"tensorboard/{stage}")
        self._note()

    def end(self) -> None:
        """Close the stage's view, and let the manifest know record and view as they are."""
        if self._writer:
            self._writer.close()
            self._writer = None
            self.folder.adopt(f"tensorboard/{self.stage}")
        self._note()

    def _note(self) -> None:
        self.sync()
        data = self.folder.metrics.read_bytes()
        self.folder.manifest["record"] = {"bytes": len(data), "sha256": digest(data)}

    def overview(self, settings: dict[str, Any], metrics: dict[str, float], pictures: dict[str, "Figure"]) -> None:
        """What belongs to the whole run: its settings and final metrics for the HParams tab, and pictures."""
        from torch.utils.tensorboard.summary import hparams

        for old in self.folder.tensorboard.glob("events.*"):
            old.unlink()
        writer = _writer(self.folder, "")
        plain = {
            key: value if isinstance(value, bool | int | float | str) else str(value) for key, value in settings.items()
        }
        _, begin, end = hparams(plain, metrics)  # the first would fix the columns of every other run beside this one
        for summary in (begin, end):
            writer.file_writer.add_summary(summary)
        for name, value in metrics.items():
            writer.add_scalar(name, value, 0)
        for name, figure in pictures.items():
            writer.add_figure(name, figure, 0)
        writer.close()
        self.folder.adopt("tensorboard")
        self.folder.write_manifest()

    def close(self) -> None:
        """Close what is open; a full disk has been told before."""
        with suppress(OSError):
            if self._writer:
                self._writer.close()
        with suppress(OSError):
            self._file.close()

    def _keep(self, stage: str, num_points: int | None) -> list[dict[str, Any]]:
        """Leave the first points of the stage and all of the others in the file; returns the former."""
        data = self.folder.metrics.read_bytes()
        lines: list[bytes] = []
        own: list[dict[str, Any]] = []
        for line, point in _points(data):
            if point["stage"] == stage:
                if num_points is not None and len(own) == num_points:
                    continue
                own.append(point)
            lines.append(line)
        kept = b"".join(lines)
        if kept != data:
            self._file.close()
            if not begins_with(kept, self.folder.manifest.get("record")):
                self.folder.manifest["record"] = None
            write_bytes(self.folder.metrics, kept)
            self._file = self.folder.metrics.open("ab")
        return own

    def _require_recorded(self) -> None:
        """Say where the file does not begin with what finished stages wrote into it."""
        if not begins_with(self.folder.metrics.read_bytes(), self.folder.manifest.get("record")):
            self.folder.note_damage(
                "metrics.jsonl is not what finished stages wrote: curves may lack points, or be wrong"
            )
            self.folder.manifest["record"] = None

    def _show(self, point: dict[str, Any]) -> None:
        if self._writer and point["value"] is not None:
            self._writer.add_scalar(point["name"], point["value"], point["step"], walltime=point["time"])


def _points(data: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """The whole lines of a record, each with what it says; a torn or damaged one is left out."""
    for line in data.splitlines(keepends=True):
        with suppress(ValueError, RecursionError):
            point = json.loads(line)
            if line.endswith(b"\n") and isinstance(point, dict) and point.keys() >= POINT:
                yield line, point


def _writer(folder: RunFolder, stage: str) -> "SummaryWriter":
    from torch.utils.tensorboard import SummaryWriter

    threading.excepthook = _hear
    return SummaryWriter(str(folder.tensorboard / stage) if stage else str(folder.tensorboard))


def _hear(failed: threading.ExceptHookArgs) -> None:
    """TensorBoard's thread fails silently on a full disk: the next write in the main thread raises the same error."""
    if not type(failed.thread).__module__.startswith("tensorboard."):
        threading.__excepthook__(failed)
