"""A dataset, or several, as tasks that come one after another. Imports no torch."""

from dataclasses import replace

from sdrun import tasks
from sdrun.data.labelled import Published
from sdrun.data.tasks import by_classes, by_domains, one_after_another
from sdrun.errors import InputError, require
from sdrun.settings import ClassTasks, DatasetSettings, DatasetTasks, DomainTasks


def in_tasks(settings: DatasetSettings, published: Published) -> Published:
    """With the tasks that the settings ask for. Raises InputError where they cannot be had of the data."""
    stream = settings.stream
    if isinstance(stream, ClassTasks):
        return by_classes(published, stream)
    if isinstance(stream, DomainTasks):
        return by_domains(published, stream, settings.name)
    assert isinstance(stream, DatasetTasks)
    roots = stream.roots or [None] * len(stream.then)
    others = [_read(settings, name, root) for name, root in zip(stream.then, roots, strict=True)]
    return one_after_another([published, *others], stream, [settings.name, *stream.then])


def _read(settings: DatasetSettings, name: str, root: str | None) -> Published:
    """Another dataset, with the settings of the first."""
    key = "dataset.stream.then"
    require(name != settings.name, key, f"names {name}, which is the first already; leave it out")
    try:
        own = tasks.settings_class(settings.task, name)
        differ = f"{name} has other settings than dataset={settings.name}; choose datasets of one kind"
        require(own is type(settings), key, differ)
        return tasks.read(replace(settings, name=name, root=root, stream=None))
    except (InputError, OSError) as error:
        raise InputError(f"{key}: {name}: {error}") from error
