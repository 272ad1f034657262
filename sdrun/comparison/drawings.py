"""Pictures in the TensorBoard files of a run. Imports no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sdrun.comparison.runs import Run

PNG = b"\x89PNG\r\n\x1a\n"
LARGEST = 2**21


@dataclass(frozen=True)
class Drawing:
    """A picture as a PNG; ``time``: when it was drawn, in seconds since 1970."""

    title: str
    step: int
    time: float
    width: int
    height: int
    png: bytes


def drawings(run: Run, stage: str = "") -> Iterator[Drawing]:
    """Those of a stage, or of the run as a whole, in order; what cannot be read is left out, and what is elsewhere."""
    for file in files(run, stage):
        yield from _in(file)


def files(run: Run, stage: str = "") -> list[Path]:
    """The files that hold them."""
    home = run.path.resolve()
    places = sorted((run.path / "tensorboard" / stage).glob("events.*"))
    return [file for file in places if file.is_file() and file.resolve().is_relative_to(home)]


def _in(file: Path) -> Iterator[Drawing]:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    try:
        for event in LegacyEventFileLoader(str(file)).Load():
            for value in event.summary.value:
                image = value.image
                png = image.encoded_image_string
                if png.startswith(PNG) and len(png) <= LARGEST:
                    yield Drawing(value.tag, event.step, event.wall_time, image.width, image.height, png)
    except Exception:  # a torn or strange file raises whatever it is that protobuf makes of it
        return
