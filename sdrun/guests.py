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
    are_alike = guest.run.item.kind != splits.item.kind or guest.run.item.shape[:1] == splits.item.shape[:1]
    require(are_alike, task, shapes)
    return guest


def invited(settings: Settings, task: Task, hardware: Hardware) -> tuple[Guest, ...]:
    """The networks that a method asks for. Raises InputError as ``require_fit`` does, and where they read otherwise."""
    guests = []
    for run in settings.method.guests:
        guest = require_fit(run, task.splits, settings.dataset, hardware.device.type)
        own = guest.task
        pieces = "reads texts in other pieces than this run's model; choose a model that reads as its does"
        require(own.reading == task.reading, f"{KEY}: {run}", pieces)
        network = hardware.place(Translated(guest.network, task.told, own.heard)).eval()
        guests.append(Guest(network, guest.stage.name, guest.stage.sha256, run))
    return tuple(guests)


def _short(classes: list[str]) -> str:
    return f"{len(classes)} classes: {', '.join(classes[:3])}" + (", ..." if len(classes) > 3 else "")
