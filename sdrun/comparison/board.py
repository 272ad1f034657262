"""A folder for TensorBoard with each run once, by a name that says what it is. Imports no torch."""

import shutil
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sdrun.comparison import hparams
from sdrun.comparison.folders import Found, find
from sdrun.comparison.groups import grouped
from sdrun.comparison.runs import Run
from sdrun.comparison.view import View, is_shown
from sdrun.settings.words import printable

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

LONGEST_NAME = 200
"""Bytes of a file's name, where file systems take 255."""


class Board:
    """The runs below ``folder`` that have the ``wanted`` settings, each in a folder of ``place``.

    ``columns`` are those of HParams; TensorBoard reads them only where it starts.
    """

    def __init__(self, folder: str, place: Path, wanted: dict[str, str]) -> None:
        self.folder, self.place, self.wanted = folder, place, wanted
        self.views: dict[Path, View] = {}
        self.columns: Event | None = None
        self._runs: dict[Path, Run] = {}

    def update(self) -> Found:
        """Show what is new of all but pictures; returns all that was looked at."""
        everything = find([self.folder])
        self._runs = {run.path: run for run in everything.runs if run.matches(self.wanted) and is_shown(run)}
        for path in self.views.keys() - self._runs.keys():
            shutil.rmtree(self.views.pop(path).place)
        self._name()
        for path, run in self._runs.items():
            self.views[path].update(run)
        self._tell_columns()
        return everything

    def draw(self) -> None:
        """Show what is new of pictures."""
        for path, view in self.views.items():
            view.draw(self._runs[path])

    def _name(self) -> None:
        names = _names(list(self._runs.values()))
        renamed = {path: view for path, view in self.views.items() if view.place.name != names[path]}
        for number, view in enumerate(renamed.values()):  # one may have the name that another takes
            view.rename(self.place / f".{number}")
        for path, view in renamed.items():
            view.rename(self.place / names[path])
        for path in names.keys() - self.views.keys():
            self.views[path] = View(self.place / names[path])

    def _tell_columns(self) -> None:
        """Tell HParams of finished runs. Its columns are told with each, for TensorBoard takes them from any run."""
        finished = [run for run in self._runs.values() if run.status == "completed"]
        curves = set[str]().union(*(self.views[run.path].curves for run in finished))
        columns = hparams.columns(finished, curves) if finished else None
        if columns != self.columns:
            self.columns = columns
        for run in finished:
            self.views[run.path].tell(run, self.columns)


def _names(runs: list[Run]) -> dict[Path, str]:
    """By run folder; of several with the same settings and seed the older ones carry their folder."""
    groups, _ = grouped(runs)
    labels_of = {run.path: group.label for group in groups for run in group.runs.values()}
    names: dict[Path, str] = {}
    for run in runs:
        name = _file_name(f"{labels_of.get(run.path, run.title)} seed={run.seed}")
        is_alone = run.path in labels_of and name not in names.values()
        names[run.path] = name if is_alone else _file_name(f"{name} {run.path}")
    return names


def _file_name(name: str) -> str:
    name = printable(name).replace("/", "_")
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{name.encode()[:LONGEST_NAME].decode(errors='ignore')} {sha256(name.encode()).hexdigest()[:8]}"
