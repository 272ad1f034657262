"""Pictures that a run drew of its items, out of its TensorBoard files. Imports no torch."""

from base64 import b64encode
from collections.abc import Mapping

from markupsafe import Markup

from sdrun.comparison.drawings import drawings
from sdrun.comparison.report import Section
from sdrun.comparison.runs import Run
from sdrun.settings.words import printable

PREFIXES = ("views/", "test/mistakes", "test/classes")
FIGURE = Markup('<img alt="{0}" src="data:image/png;base64,{1}"><figcaption class="soft">{0}</figcaption>')
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
    drawn = {drawing.title: drawing.png for drawing in drawings(run, run.seen) if drawing.title.startswith(PREFIXES)}
    return {title: drawn[title] for title in sorted(drawn, reverse=True)[:MOST]}
