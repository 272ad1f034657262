"""Networks of other runs that teach in this one."""

from pathlib import Path

from sdrun import trained
from sdrun.data.labelled import Splits
from sdrun.errors import require
from sdrun.hardware import Hardware
from sdrun.settings import DatasetSettings, Settings
from sdrun.task import Task
from sdrun.teachers.guest import Guest, Translated
from sdrun.trained import Trained

KEY = "teacher_from"


def require_fit(run: str, splits: Splits, dataset: DatasetSettings, device: str = "cpu") -> Trained:
    """The run's network. Raises InputError where it is not finished, or answers something else."""
    guest = trained.load(Path(run), device)
    own, task = guest.run.settings.dataset, f"{KEY}: {run}"
    other = f"was trained on dataset={own.name}, which is {own.task}, and dataset={dataset.name} is {dataset.task}"
    require(own.task == dataset.task, task, other)
    told = f"tells {_short(guest.classes)}, and dataset={dataset.name} has {_short(splits.classes)}"
    require(guest.classes == splits.classes, task, told)
    shapes = f"takes {guest.run.item}, and dataset={dataset.name} has {splits.item}"
    require(_channels(guest.run.item.shape) == _channels(splits.item.shape), task, shapes)
    return guest


def invited(settings: Settings, task: Task, hardware: Hardware) -> tuple[Guest, ...]:
    """The networks that a method asks for. Raises InputError as ``require_fit`` does, and where they read otherwise."""
    guests = []
    for run in settings.method.guests:
        guest = require_fit(run, task.splits, settings.dataset, hardware.device.type)
        heard = guest.heard
        pieces = "reads texts in pieces of its own, which this run does not have; give teacher_model instead"
        require(task.told is not None and heard is not None, f"{KEY}: {run}", pieces)
        assert task.told
        assert heard
        network = hardware.place(Translated(guest.network, task.told, heard)).eval()
        guests.append(Guest(network, guest.stage.name, guest.stage.sha256, run))
    return tuple(guests)


def _short(classes: list[str]) -> str:
    return f"{len(classes)} classes: {', '.join(classes[:3])}" + (", ..." if len(classes) > 3 else "")


def _channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """All of a shape but the sides of an image."""
    return shape[:1]
