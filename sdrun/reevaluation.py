"""A finished run, evaluated again: on other test items, or with what its method leaves free after training."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from sdrun import beginning, configuration, recorded, run, tasks
from sdrun.data.labelled import Published
from sdrun.data.splits import split
from sdrun.errors import InputError, require
from sdrun.hardware import Hardware
from sdrun.ranks import num_ranks
from sdrun.results import ITEMS
from sdrun.settings import DatasetSettings
from sdrun.storage.folder import RunFolder
from sdrun.storage.place import refuse_strange, resuming

FREE = ("hardware.", "pictures")
"""Settings that may be others than those of the run, whatever its method."""


def evaluate(path: Path, dataset: str | None, root: str | None, overrides: list[str]) -> None:
    """Evaluate the weights of the run in ``path`` again, into a run folder of its own below it.

    Whatever is fitted is fitted on that run's own training and validation items; ``dataset`` and ``root`` name the
    dataset whose test items are judged. ``overrides``: ``key=value`` of hardware, ``pictures``, ``dataset.root``, and
    what the method leaves free. Raises InputError for what cannot be used.
    """
    require(num_ranks() == 1, "sdrun evaluate", "runs in one process; start it without torchrun")
    source = RunFolder.open(path)
    source.require_current("evaluated")
    require(source.status == "completed", str(path), f"is {source.status}; finish it by: {resuming(path)}")
    require("evaluates" not in source.manifest, str(path), "is an evaluation itself; name the run")
    config = recorded.load_config(source)
    free = configuration.settings_from(config).method.free_after_training
    recorded.change(config, overrides, (*FREE, *free), "of a finished run")
    refuse_strange(path)
    settings = configuration.settings_from(config)
    published = tasks.load(settings.dataset)
    began_with = source.manifest["data"]
    if dataset or root:
        published = _with_test(published, settings.dataset, dataset or settings.dataset.name, root)
        began_with = {name: value for name, value in began_with.items() if name != "test"}
    splits = split(published, settings.dataset)
    fingerprints = splits.fingerprints()
    changed = ", ".join(name for name in began_with if began_with[name] != fingerprints[name])
    require(
        not changed, str(path), f"its data changed since it ran ({changed}); name their folder by dataset.root=FOLDER"
    )
    is_same = recorded.origin(settings) == source.manifest["init"]
    start = settings.init_from or settings.model.origin
    key = "init_from" if settings.init_from else "model.pretrained"
    require(is_same, key, f"{start} changed since {path} ran; that run cannot be played again")
    for stage in (result for result in source.results() if not result.released):
        for kind in stage.sha256.keys() & {settings.optim.select.value, ITEMS}:
            file = source.weights(stage.name, kind)
            require(file.is_file(), str(file), "is gone; a run without it cannot be evaluated")
    settings.method.check(settings.model.taps, settings.dataset.num_held_out)
    with ExitStack() as stack:
        hardware = Hardware.start(settings.hardware)
        stack.callback(hardware.close)
        settings = replace(settings, hardware=hardware.settings)
        options = {"--dataset": dataset, "--root": root}
        words = [*(f"{key}={value}" for key, value in options.items() if value), *overrides]
        target = source.evaluations / configuration.version()
        judged = {"evaluates": str(path), "dataset": dataset or settings.dataset.name}
        beginning.create(target, settings, hardware, words, **judged)
        run.execute(settings, RunFolder.open(target), hardware, stack, splits, source)


def _with_test(published: Published, own: DatasetSettings, name: str, root: str | None) -> Published:
    """The same with the test items of another dataset. Raises InputError where they are of another kind."""
    settings = replace(own, download=False)
    if name != own.name:
        is_alike = tasks.settings_class(own.task, name) is type(own)
        require(is_alike, "--dataset", f"{name} has settings of its own, which a run on {own.name} does not tell")
        settings = replace(settings, name=name, root=root)
    try:
        other = tasks.load(settings.elsewhere(root) if root else settings)
    except InputError as error:
        reason = str(error).splitlines()[0]
        hint = "" if root else "\nName the folder of its files by --root FOLDER"
        raise InputError(f"{'--root' if root else '--dataset'}: {reason}{hint}") from error
    require(other.item == published.item, "--dataset", f"{name} has {other.item}, and the run {published.item}")
    num = len(published.classes)
    require(len(other.classes) == num, "--dataset", f"{name} has {len(other.classes)} classes, and the run {num}")
    return replace(published, test=other.test, facts=other.facts)
