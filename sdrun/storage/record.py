"""The record of a run: ``metrics.jsonl`` is the source, TensorBoard a view of it."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sdrun.storage.files import finite
from sdrun.storage.folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch.utils.tensorboard import SummaryWriter


class Record:
    """Numbers of one stage after the other; each stage is a run of its own in TensorBoard, so that they overlay.

    ``position`` is the length of ``metrics.jsonl`` in bytes; a checkpoint keeps it, and a resumed stage starts by
    cutting off what came later. What is logged before a checkpoint is on the disk with it.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.stage = ""
        self.steps_per_epoch = 1
        self._file = folder.metrics.open("ab")
        self._writer: SummaryWriter | None = None

    def begin(self, stage: str, steps_per_epoch: int, position: int) -> None:
        """Start or go on with a stage: drop what was logged after ``position``, and show the rest again."""
        self.stage, self.steps_per_epoch = stage, steps_per_epoch
        self._file.truncate(position)
        self._file.seek(0, os.SEEK_END)
        shutil.rmtree(self.folder.tensorboard / stage, ignore_errors=True)
        self._writer = _writer(self.folder, stage)
        for point in self._points(stage):
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
        self._file.flush()

    def picture(self, name: str, figure: "Figure", step: int) -> None:
        if self._writer:
            self._writer.add_figure(name, figure, step)

    def position(self) -> int:
        """Bytes of ``metrics.jsonl`` so far, all of them on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def end(self) -> None:
        """Close the stage's view."""
        if self._writer:
            self._writer.close()
            self._writer = None

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

    def close(self) -> None:
        self.end()
        self._file.close()

    def _show(self, point: dict[str, Any]) -> None:
        if self._writer and point["value"] is not None:
            self._writer.add_scalar(point["name"], point["value"], point["step"], walltime=point["time"])

    def _points(self, stage: str) -> Iterator[dict[str, Any]]:
        with self.folder.metrics.open(encoding="utf-8") as lines:
            for line in lines:
                point = json.loads(line)
                if point["stage"] == stage:
                    yield point


def _writer(folder: RunFolder, stage: str) -> "SummaryWriter":
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder.tensorboard / stage) if stage else str(folder.tensorboard))
