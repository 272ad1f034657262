"""Pictures that a run drew of its items, out of its TensorBoard files. Imports no torch."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from sdrun.comparison.report import Section
from sdrun.comparison.runs import Run
from sdrun.settings.words import printable

PREFIXES = ("views/", "test/mistakes", "test/classes")
FIGURE = Markup('<img alt="{0}" src="data:image/png;base64,{1}"><figcaption class="soft">{0}</figcaption>')
PNG = b"\x89PNG\r\n\x1a\n"
LARGEST = 2**21
MOST = 8


def section(groups: Mapping[str, Mapping[int, Run]]) -> list[Section]:
    """What the first run of each group saw, and was wrong about; nothing where none of them kept any of it."""
    figures = []
    for label, runs in groups.items():
        run = next(iter(runs.values()))
        for title, picture in pictures(run).items():
            caption = printable(f"{label}, seed {run.seed}: {title}")
            figures.append(FIGURE.format(caption, b64encode(picture).decode()))
    return [Section("What networks saw, and their most confident mistakes", pictures=figures)] if figures else []


def pictures(run: Run) -> dict[str, bytes]:
    """The newest of each title, of the stage that trained last; what cannot be read is left out."""
    if not run.seen:
        return {}
    drawn: dict[str, bytes] = {}
    for file in sorted((run.path / "tensorboard" / run.seen).glob("events.*")):
        if file.is_file() and file.resolve().is_relative_to(run.path.resolve()):
            drawn |= _pictures(file)
    return {title: drawn[title] for title in sorted(drawn, reverse=True)[:MOST]}


def _pictures(file: Path) -> dict[str, bytes]:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    drawn = {}
    try:
        for event in LegacyEventFileLoader(str(file)).Load():
            for value in event.summary.value:
                picture = value.image.encoded_image_string
                if value.tag.startswith(PREFIXES) and picture.startswith(PNG) and len(picture) <= LARGEST:
                    drawn[value.tag] = picture
    except Exception:  # a torn or strange file raises whatever it is that protobuf makes of it
        return drawn
    return drawn
